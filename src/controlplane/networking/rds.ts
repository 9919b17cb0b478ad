/**
 * The route configurations of one proxy's HTTP listeners (RDS).
 */
import type { RouteConfigurationJson } from "../../proto/envoy/envoy/config/route/v3/route_pb.js";
import { gatewayRoutes } from "./gateway/routes.ts";
import { outbound } from "./outbound.ts";
import { routeConfiguration } from "./routes.ts";
import type { ProxyView } from "./view.ts";
import { allowsAny } from "./visibility.ts";

/** One per port number where traffic is captured, else one per listener. */
export function generateRoutes(view: ProxyView): readonly RouteConfigurationJson[] {
  const { proxy, sidecar } = view;
  if (proxy.type === "router") return gatewayRoutes(view);
  if (proxy.type === "other") return [];
  // Where nothing is captured there is no original destination to pass an unknown host on to.
  const passes = proxy.interceptionMode !== "NONE" && allowsAny(sidecar);
  return outbound(view).routes.map((set) => routeConfiguration(set, view, passes ? "passthrough" : "block"));
}
