/**
 * What a control plane makes in a cluster while it runs, which no installation knows of: it goes with the last one. istiod makes
 * objects of the same names: what it made stays, and while another control plane is there all does.
 */
import { type ApiObject, type KubernetesApi, userAgent } from "../../../controlplane/kubernetes/api.ts";
import { mappingsOf, textOf } from "../../../controlplane/kubernetes/resource.ts";
import { at, listAt, textAt } from "../../../lifecycle/json-path.ts";
import { objectName } from "../difference.ts";
import { systemNamespace } from "../spec/schema.ts";
import { isOwn, listObjects, readObject } from "./objects.ts";

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

/** Where proxies ask a control plane. */
const controlPlanePort = 15_012;

/** What is to go, and what stays with the reason, a line each. @throws KubernetesError */
export async function leftBehind(
  api: KubernetesApi,
  signal: AbortSignal,
): Promise<{ readonly gone: readonly LeftBehind[]; readonly kept: readonly string[] }> {
  const all = await madeByControlPlanes(api, signal);
  const others = await otherControlPlanes(api, signal);
  if (others.length > 0)
    return {
      gone: [],
      kept: [
        `the mesh's root and CA stay: ${others.join(", ")} is of another control plane, which may need them`,
      ],
    };
  const isOurs = ({ object }: LeftBehind): boolean =>
    managersOf(object).length > 0 && managersOf(object).every((name) => name === userAgent);
  return {
    gone: all.filter(isOurs),
    // Roots of somebody else are written again by whoever it is.
    kept: all
      .filter((each) => !isOurs(each) && textAt(each.object, "kind") === "Secret")
      .map(
        ({ object }) =>
          `${objectName(object)} stays: ${managersOf(object).join(", ") || "somebody else"} wrote it`,
      ),
  };
}

function managersOf(object: ApiObject): readonly string[] {
  const managers = mappingsOf(at(object, "metadata", "managedFields")).map(({ manager }) => textOf(manager));
  return [...new Set(managers)];
}

/** Services of control planes that this program did not install. */
async function otherControlPlanes(api: KubernetesApi, signal: AbortSignal): Promise<readonly string[]> {
  const services = { kind: "Service", group: "", version: "v1", plural: "services", isNamespaced: true };
  const found = await listObjects(api, { ...services, namespace: systemNamespace }, {}, signal);
  return found
    .filter((object) => !isOwn(object))
    .filter((object) => listAt(object, "spec", "ports").some((each) => at(each, "port") === controlPlanePort))
    .map(objectName);
}

async function madeByControlPlanes(api: KubernetesApi, signal: AbortSignal): Promise<readonly LeftBehind[]> {
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
