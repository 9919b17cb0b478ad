/**
 * Pods as a command needs them.
 */
import type { ApiObject, KubernetesApi } from "../../controlplane/kubernetes/api.ts";
import { mappingOf, mappingsOf, metaOf, textOf } from "../../controlplane/kubernetes/resource.ts";

/** A pod that the API has told. */
export interface Pod {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Pending, Running, Succeeded, Failed or Unknown. */
  readonly phase: string;
  readonly isReady: boolean;
  /** It has been asked to end. */
  readonly isEnding: boolean;
  /** Undefined while it has none. */
  readonly ip: string | undefined;
  /** Of all its containers, native sidecars too. */
  readonly containers: readonly string[];
}

/** Those of a namespace, or of all, by name. @throws KubernetesError */
export async function listPods(
  api: KubernetesApi,
  namespace: string | undefined,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  const path =
    namespace === undefined ? "/api/v1/pods" : `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  const { items } = await api.send({ path, query }, signal);
  return mappingsOf(items)
    .flatMap((object) => podOf(object) ?? [])
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Undefined for what is none. */
export function podOf(object: ApiObject): Pod | undefined {
  const meta = metaOf(object);
  if (meta === undefined) return undefined;
  const [spec, status] = [mappingOf(object["spec"]), mappingOf(object["status"])];
  return {
    name: meta.name,
    namespace: meta.namespace,
    labels: meta.labels,
    phase: textOf(status["phase"]),
    isReady: mappingsOf(status["conditions"]).some(
      ({ type, status: is }) => type === "Ready" && is === "True",
    ),
    isEnding: mappingOf(object["metadata"])["deletionTimestamp"] !== undefined,
    ip: textOf(status["podIP"]) || undefined,
    containers: [...mappingsOf(spec["initContainers"]), ...mappingsOf(spec["containers"])].map(({ name }) =>
      textOf(name),
    ),
  };
}
