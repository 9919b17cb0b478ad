/**
 * The endpoints of one proxy's clusters (EDS).
 */
import type { ClusterLoadAssignmentJson } from "../../proto/envoy/envoy/config/endpoint/v3/endpoint_pb.js";
import type { Service } from "../model/model.ts";
import { sniEndpoints } from "./gateway/sni-dnat.ts";
import { asksForPlace } from "./locality.ts";
import { loadAssignments } from "./load-assignment.ts";
import type { ProxyView } from "./view.ts";

/** Those of every service whose addresses are known here. */
export function generateEndpoints(view: ProxyView): readonly ClusterLoadAssignmentJson[] {
  const { proxy, services } = view;
  if (proxy.type === "other") return [];
  const called = services.flatMap(endpointsOf(view));
  return proxy.type === "router" ? [...called, ...sniEndpoints(view)] : called;
}

/** Makes those of one service. */
export function endpointsOf({
  model: { peers },
  proxy,
  ruleOf,
  memo,
}: ProxyView): (service: Service) => readonly ClusterLoadAssignmentJson[] {
  const kept = memo.endpoints.in([peers]);
  const context = { peers, place: proxy };
  return (service) => {
    const rule = ruleOf(service);
    const place = asksForPlace(rule) ? memo.places.of(proxy) : undefined;
    return kept.get(service, rule, place, () => loadAssignments(context, service, rule));
  };
}
