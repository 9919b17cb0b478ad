/**
 * What a control plane makes in a cluster while it runs, which no installation knows of: it goes with the last one.
 */
import type { ApiObject, KubernetesApi } from "../../../controlplane/kubernetes/api.ts";
import { systemNamespace } from "../spec/schema.ts";
import { listObjects, readObject } from "./objects.ts";

/** The mesh's root, in every namespace. */
const rootName = "istio-ca-root-cert";

/** The CA that it made for itself; one that somebody plugged in (`cacerts`) is theirs. */
const caName = "istio-ca-secret";
const caType = "istio.io/ca-root";

const leaseName = "outrider-leader";

/** An object, and where the API has it. */
export interface LeftBehind {
  readonly path: string;
  readonly object: ApiObject;
}

/** @throws KubernetesError */
export async function leftBehind(api: KubernetesApi, signal: AbortSignal): Promise<readonly LeftBehind[]> {
  const core = { group: "", version: "v1", isNamespaced: true } as const;
  const inSystem = (kind: string, path: string): Promise<readonly LeftBehind[]> =>
    readObject(api, path, signal).then((object) =>
      object === undefined ? [] : [{ path, object: { ...object, kind } }],
    );
  const roots = await listObjects(
    api,
    { kind: "ConfigMap", ...core, plural: "configmaps" },
    { fieldSelector: `metadata.name=${rootName}`, labelSelector: "istio.io/config=true" },
    signal,
  );
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${systemNamespace}/leases/${leaseName}`;
  const secret = `/api/v1/namespaces/${systemNamespace}/secrets/${caName}`;
  const secrets = await inSystem("Secret", secret);
  return [
    ...roots.map((object) => ({
      object,
      path: `/api/v1/namespaces/${namespaceOf(object)}/configmaps/${rootName}`,
    })),
    ...(await inSystem("Lease", lease)),
    ...secrets.filter(({ object }) => object["type"] === caType),
  ];
}

function namespaceOf({ metadata }: ApiObject): string {
  return (metadata as { readonly namespace: string }).namespace;
}
