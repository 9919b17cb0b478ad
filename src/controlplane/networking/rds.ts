/**
 * The route configurations of one proxy's HTTP listeners (RDS).
 */
import type { RouteConfigurationJson } from "../../proto/envoy/envoy/config/route/v3/route_pb.js";
import { boundOutbound } from "./bound.ts";
import { isHttp } from "./names.ts";
import { routeConfiguration } from "./routes.ts";
import type { ProxyView } from "./view.ts";
import { allowsAny } from "./visibility.ts";

/** One per port number where traffic is captured, else one per listener. */
export function generateRoutes(view: ProxyView): readonly RouteConfigurationJson[] {
  return view.proxy.interceptionMode === "NONE" ? boundRoutes(view) : capturedRoutes(view);
}

function boundRoutes(view: ProxyView): readonly RouteConfigurationJson[] {
  const { model, proxy } = view;
  // Nothing is captured, so there is no original destination to pass an unknown host on to.
  const context = { model, namespace: proxy.namespace, fallback: "block" } as const;
  return boundOutbound(view).flatMap(({ routes }) =>
    routes === undefined ? [] : [routeConfiguration(routes.name, routes.routed, context)],
  );
}

function capturedRoutes({ model, proxy, sidecar, services }: ProxyView): readonly RouteConfigurationJson[] {
  const fallback = allowsAny(sidecar) ? "passthrough" : "block";
  const context = { model, namespace: proxy.namespace, fallback } as const;
  const routed = services.flatMap((service) =>
    service.ports.filter(isHttp).map((port) => ({ service, port })),
  );
  return [...Map.groupBy(routed, ({ port }) => port.number)].map(([number, ofPort]) =>
    routeConfiguration(String(number), ofPort, context),
  );
}
