/** What spans several fields of a WorkloadGroup. */
import type { WorkloadGroupSpec } from "../objects.ts";
import type { Complaint } from "./complaint.ts";

/** Every broken rule. */
export function workloadGroup({ template, probe }: WorkloadGroupSpec): readonly Complaint[] {
  const complaints: Complaint[] = [];
  if ((template.address ?? "") !== "")
    complaints.push(["spec.template.address", "has no effect: each machine has its own", "warning"]);
  if (probe === undefined) return complaints;
  const methods = [probe.httpGet, probe.tcpSocket, probe.exec, probe.grpc].filter(
    (method) => method !== undefined,
  );
  if (methods.length !== 1)
    complaints.push(["spec.probe", "must have exactly one of httpGet, tcpSocket, exec and grpc"]);
  return complaints;
}
