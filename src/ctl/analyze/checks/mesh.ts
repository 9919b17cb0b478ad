/** What checks look at: the objects of an analysis, by kind, and the workloads that they are about. */
import { byAge, type ConfigObject } from "../../../controlplane/config/objects.ts";

/** Objects of one kind. */
export type OfKind<Kind extends ConfigObject["kind"]> = Extract<ConfigObject, { kind: Kind }>;

/** Something with labels that a selector may select. */
export interface Workload {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As messages call it. */
  readonly name: string;
}

/** Everything that was read. */
export interface AnalyzedMesh {
  /** The oldest first. */
  readonly ofKind: <Kind extends ConfigObject["kind"]>(kind: Kind) => readonly OfKind<Kind>[];
  readonly workloads: readonly Workload[];
}

/** @param pods workloads that are no objects of Istio's */
export function analyzedMesh(objects: readonly ConfigObject[], pods: readonly Workload[]): AnalyzedMesh {
  const byKind = Map.groupBy(objects.toSorted(byAge), ({ kind }) => kind);
  const ofKind: AnalyzedMesh["ofKind"] = (kind) =>
    (byKind.get(kind) ?? []) as unknown as readonly OfKind<typeof kind>[];
  return {
    ofKind,
    workloads: [
      ...pods,
      ...ofKind("WorkloadEntry").map(({ namespace, name, spec }) => ({
        namespace,
        labels: spec.labels ?? {},
        name: `WorkloadEntry ${namespace}/${name}`,
      })),
      ...ofKind("ServiceEntry").flatMap(({ namespace, name, spec }) =>
        (spec.endpoints ?? []).map(({ address, labels = {} }) => ({
          namespace,
          labels,
          name: `${address} of ServiceEntry ${namespace}/${name}`,
        })),
      ),
    ],
  };
}

/** Whether all of these labels are there. */
export function selects(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}
