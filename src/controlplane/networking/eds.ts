/**
 * The endpoints of one proxy's clusters (EDS).
 */
import type { ClusterLoadAssignmentJson } from "../../proto/envoy/envoy/config/endpoint/v3/endpoint_pb.js";
import { loadAssignments } from "./load-assignment.ts";
import type { ProxyView } from "./view.ts";

/** Those of every service whose addresses are known here. */
export function generateEndpoints({
  model,
  services,
  ruleOf,
}: ProxyView): readonly ClusterLoadAssignmentJson[] {
  return services.flatMap((service) => loadAssignments(model, service, ruleOf(service)));
}
