/**
 * The endpoints of one proxy's clusters (EDS).
 */
import type { ClusterLoadAssignmentJson } from "../../proto/envoy/envoy/config/endpoint/v3/endpoint_pb.js";
import { loadAssignments } from "./clusters.ts";
import type { ProxyView } from "./view.ts";

/** Those of every service whose addresses are known here. */
export function generateEndpoints({ services, ruleOf }: ProxyView): readonly ClusterLoadAssignmentJson[] {
  return services.flatMap((service) => loadAssignments(service, ruleOf(service)));
}
