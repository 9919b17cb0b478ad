/**
 * The route configurations of one proxy's HTTP listeners (RDS).
 */
import type { RouteConfigurationJson } from "../../proto/envoy/envoy/config/route/v3/route_pb.js";
import type { JsonObject } from "../config/json-value.ts";
import { callerPatches } from "./envoy-filter/for-proxy.ts";
import { changedFrom } from "./envoy-filter/changed-resources.ts";
import { patchedRoutes } from "./envoy-filter/routes.ts";
import { gatewayRoutes } from "./gateway/routes.ts";
import { outbound } from "./outbound.ts";
import { routeConfiguration } from "./routes.ts";
import type { ProxyView } from "./view.ts";
import { allowsAny } from "./visibility.ts";

/** One per port number where traffic is captured, else one per listener. */
export function generateRoutes(view: ProxyView): readonly RouteConfigurationJson[] {
  const patches = callerPatches(view);
  if (patches.list.length === 0) return routesOf(view);
  return (routesOf(view) as readonly JsonObject[]).map((each) =>
    changedFrom(patchedRoutes(each, patches), {
      original: each,
      patches,
      again: (fewer) => patchedRoutes(each, fewer),
    }),
  );
}

function routesOf(view: ProxyView): readonly RouteConfigurationJson[] {
  const { proxy, sidecar } = view;
  if (proxy.type === "router") return gatewayRoutes(view);
  if (proxy.type === "other") return [];
  // Where nothing is captured there is no original destination to pass an unknown host on to.
  const passes = proxy.interceptionMode !== "NONE" && allowsAny(sidecar);
  return outbound(view).routes.map((set) => routeConfiguration(set, view, passes ? "passthrough" : "block"));
}
