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
}: ProxyView): readonly ClusterLoadAssignmentJson[] {
  if (proxy.type === "other") return [];
  return services.flatMap((service) => loadAssignments(model, service, ruleOf(service)));
}
