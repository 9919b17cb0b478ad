/** What can be wrong with a WorkloadGroup. */
import { absent } from "../istio-objects.ts";
import { label, missing, notAMapping, port, type ProblemRow } from "./words.ts";

const oneMethod = "must have exactly one of httpGet, tcpSocket, exec and grpc";

export const workloadGroupProblems: readonly ProblemRow[] = [
  ["apiVersion", "networking.istio.io", "must be networking.istio.io/v1 for a WorkloadGroup"],
  ["spec.template", absent, missing],
  ["spec.template", [], notAMapping],
  ["spec.template.ports.http", "8080", port],
  ["spec.template.serviceAccount", "A", "must be the name of a service account"],
  ["spec.template.network", "a b", "must be the name of a network"],
  ["spec.metadata.labels.app", "a b", label],
  ["spec.probe", {}, oneMethod],
  ["spec.probe", { tcpSocket: { port: 80 }, exec: { command: ["true"] } }, oneMethod],
  ["spec.probe.httpGet.port", absent, missing],
  ["spec.probe.httpGet.scheme", "FTP", "must be one of HTTP, HTTPS"],
  ["spec.probe.failureThreshold", 0, "must be a whole number from 1 to 2147483647"],
];
