/** What can be wrong with a WorkloadEntry. */
import { absent } from "../istio-objects.ts";
import { known, missing, notAMapping, port, weight, type ProblemRow } from "./words.ts";

export const workloadEntryProblems: readonly ProblemRow[] = [
  ["apiVersion", "networking.istio.io", "must be networking.istio.io/v1 for a WorkloadEntry"],
  ["apiVersion", absent, missing, "apiVersion: must be networking.istio.io/v1 for a WorkloadEntry"],
  ["spec.address", absent, missing],
  ["spec.address", "unix:/a", "must be an IP address or host name"],
  ["spec.ports.http", "8080", port],
  ["spec.labels", [], notAMapping],
  ["spec.serviceAccount", "A", "must be the name of a service account"],
  ["spec.weight", "1", weight],
  ["spec.network", "a", known("address", "ports", "labels", "locality", "serviceAccount", "weight")],
];
