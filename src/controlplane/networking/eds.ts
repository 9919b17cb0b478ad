/**
 * The endpoints of one proxy's clusters (EDS).
 */
import type { ClusterLoadAssignmentJson } from "../../proto/envoy/envoy/config/endpoint/v3/endpoint_pb.js";
import { sniEndpoints } from "./gateway/sni-dnat.ts";
import { asksForPlace } from "./locality.ts";
import { loadAssignments } from "./load-assignment.ts";
import type { ProxyView } from "./view.ts";

/** Those of every service whose addresses are known here. */
export function generateEndpoints(view: ProxyView): readonly ClusterLoadAssignmentJson[] {
  const { model, proxy, services, ruleOf, memo } = view;
  if (proxy.type === "other") return [];
  const { peers } = model;
  const called = services.flatMap((service) => {
    const rule = ruleOf(service);
    const place = asksForPlace(rule) ? memo.places.of(proxy) : undefined;
    return memo.endpoints.get([service, rule, peers, place], () =>
      loadAssignments({ peers, place: proxy }, service, rule),
    );
  });
  return proxy.type === "router" ? [...called, ...sniEndpoints(view)] : called;
}
