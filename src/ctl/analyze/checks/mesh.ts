/** What checks look at: the objects of an analysis, by kind, and the workloads that they are about. */
import { at, listAt } from "../../../lifecycle/json-path.ts";
import { byAge, type ConfigObject } from "../../../controlplane/config/objects.ts";
import { type KubernetesObject, type PodTemplate, podTemplateOf } from "../kubernetes-objects.ts";

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
  /** Everything that has annotations, or is none of Istio's. */
  readonly kubernetes: readonly KubernetesObject[];
  readonly pods: readonly PodTemplate[];
}

/** All that checks look at. */
export function analyzedMesh(
  objects: readonly ConfigObject[],
  kubernetes: readonly KubernetesObject[],
): AnalyzedMesh {
  const pods = kubernetes.map(podTemplateOf).filter((pod) => pod !== undefined);
  const byKind = Map.groupBy(objects.toSorted(byAge), ({ kind }) => kind);
  const ofKind: AnalyzedMesh["ofKind"] = (kind) =>
    (byKind.get(kind) ?? []) as unknown as readonly OfKind<typeof kind>[];
  return {
    ...{ ofKind, kubernetes, pods },
    workloads: [
      ...pods.map(({ owner: { kind, namespace, name }, labels }) => ({
        ...{ namespace, labels, name: `${kind} ${namespace}/${name}` },
      })),
      ...ofKind("WorkloadEntry").map(({ namespace, name, spec }) => ({
        namespace,
        labels: spec.labels ?? {},
        name: `WorkloadEntry ${namespace}/${name}`,
      })),
      // Machines that register themselves have these labels.
      ...ofKind("WorkloadGroup").map(({ namespace, name, spec }) => ({
        namespace,
        labels: { ...spec.template.labels, ...spec.metadata?.labels },
        name: `WorkloadGroup ${namespace}/${name}`,
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

/** Numbers of the ports of Kubernetes' Services, by host. */
export function clusterServices(
  kubernetes: readonly KubernetesObject[],
): ReadonlyMap<string, readonly number[]> {
  return new Map(
    kubernetes
      .filter(({ kind }) => kind === "Service")
      .map(({ namespace, name, value }) => [
        `${name}.${namespace}.svc.cluster.local`,
        listAt(value, "spec", "ports")
          .map((port) => at(port, "port"))
          .filter((port) => typeof port === "number"),
      ]),
  );
}
