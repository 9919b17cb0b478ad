/** Pods of the manifests, read as the tests' kubelet takes them. */
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import type { ContainerSpec, PodSpec } from "./pod-spec.ts";

interface Pod extends PodSpec {
  readonly kind: "Pod";
}

interface Deployment {
  readonly kind: "Deployment";
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly template: Omit<PodSpec, "metadata"> & {
      readonly metadata: Omit<PodSpec["metadata"], "name" | "namespace">;
    };
  };
}

/** The one pod of a file, or that of its one deployment. @throws Error when there is none */
export function podOf(path: string, name?: string): PodSpec {
  for (const document of parseAllDocuments(readFileSync(path, "utf8"))) {
    const object = document.toJS() as Pod | Deployment;
    if (object.kind === "Pod") return object;
    // Other kinds stand beside it.
    if ((object.kind as string) !== "Deployment") continue;
    const { metadata, spec } = object;
    const { template } = spec;
    return {
      ...template,
      metadata: { ...template.metadata, name: name ?? `${metadata.name}-1`, namespace: metadata.namespace },
    };
  }
  throw new Error(`${path} has no pod`);
}

/** The pod as that of another workload: names, labels and volumes are as they were. */
export function podFor(pod: PodSpec, workload: string): PodSpec {
  const text = JSON.stringify(pod)
    .replaceAll('"web-1"', `"${workload}-1"`)
    .replaceAll(/"web"/g, `"${workload}"`)
    .replaceAll("deployments/web", `deployments/${workload}`)
    .replaceAll("/app-health/web/", `/app-health/${workload}/`);
  return JSON.parse(text) as PodSpec;
}

/** The pod with the containers that `change` gives. */
export function withContainer(
  pod: PodSpec,
  name: string,
  change: (container: ContainerSpec) => ContainerSpec,
): PodSpec {
  const apply = (list: readonly ContainerSpec[]): readonly ContainerSpec[] =>
    list.map((container) => (container.name === name ? change(container) : container));
  const { initContainers, containers } = pod.spec;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      ...(initContainers === undefined ? {} : { initContainers: apply(initContainers) }),
      containers: apply(containers),
    },
  };
}

/** The container of this name, be it one of those that run first. @throws Error when there is none */
export function containerOf({ spec }: PodSpec, name: string): ContainerSpec {
  const found = [...(spec.initContainers ?? []), ...spec.containers].find((one) => one.name === name);
  if (found === undefined) throw new Error(`the pod has no container ${name}`);
  return found;
}

/** The pod with other limits of one container. */
export function withLimits(
  pod: PodSpec,
  name: string,
  limits: Readonly<Record<"memory" | "cpu", string>>,
): PodSpec {
  return withContainer(pod, name, (container) => ({ ...container, resources: { limits } }));
}
