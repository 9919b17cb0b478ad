/**
 * The endpoints of one proxy's clusters (EDS).
 */
import type { ClusterLoadAssignmentJson } from "../../proto/envoy/envoy/config/endpoint/v3/endpoint_pb.js";
import { loadAssignments } from "./load-assignment.ts";
import type { ProxyView } from "./view.ts";

/** Those of every service whose addresses are known here. */
export function generateEndpoints({
  model,
  proxy,
  services,
  ruleOf,
  memo,
}: ProxyView): readonly ClusterLoadAssignmentJson[] {
  if (proxy.type === "other") return [];
  const { peers } = model;
  return services.flatMap((service) => {
    const rule = ruleOf(service);
    return memo.endpoints.get([service, rule, peers], () => loadAssignments({ peers }, service, rule));
  });
}
