/**
 * The CA of a cluster: the Secret `cacerts` where somebody has plugged one in, else `istio-ca-secret`, which is made when it is
 * missing and adopted from an istiod that made it (Istio's names and keys).
 */
import type { ApiObject, KubernetesApi } from "../kubernetes/api.ts";
import { KubernetesError } from "../kubernetes/api-error.ts";
import { mappingOf, textsOf } from "../kubernetes/resource.ts";
import type { CaMaterial } from "./authority.ts";
import { type CaFileName, caFileNames, checkCaFiles } from "./check-material.ts";
import { selfSignedFiles } from "./material.ts";

const pluggedIn = "cacerts";
const selfSigned = "istio-ca-secret";

/** What a Secret holds. */
export interface ClusterCaFiles {
  /** Whose they are, for people. */
  readonly subject: string;
  readonly texts: Readonly<Record<CaFileName, string>>;
}

/** Of which mesh. */
interface ClusterCaPlace {
  readonly namespace: string;
  readonly trustDomain: string;
  /** What the CA was before; undefined where nobody knows. A mesh whose Secret is gone must not get another root. */
  readonly kept: ClusterCaFiles["texts"] | undefined;
}

/** Read the Secret, or make it: of what was kept, else with a new root. @throws KubernetesError */
export async function clusterCaFiles(
  api: KubernetesApi,
  { namespace, trustDomain, kept }: ClusterCaPlace,
  signal: AbortSignal,
): Promise<ClusterCaFiles> {
  const secrets = `/api/v1/namespaces/${namespace}/secrets`;
  const found =
    (await find(api, `${secrets}/${pluggedIn}`, signal)) ??
    (await find(api, `${secrets}/${selfSigned}`, signal));
  const secret = found ?? (await make(api, secrets, kept ?? (await selfSignedFiles(trustDomain)), signal));
  const { name } = mappingOf(secret["metadata"]);
  return { subject: `the Secret ${String(name)} of ${namespace}`, texts: textsIn(secret) };
}

/** Check what was read. @throws CaMaterialError */
export function readClusterCa({ subject, texts }: ClusterCaFiles): Promise<CaMaterial> {
  return checkCaFiles(subject, texts, new Date());
}

async function find(api: KubernetesApi, path: string, signal: AbortSignal): Promise<ApiObject | undefined> {
  try {
    return await api.send({ path }, signal);
  } catch (error) {
    if (error instanceof KubernetesError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

/** Several control planes that start at once have one root: the first one stays. */
async function make(
  api: KubernetesApi,
  secrets: string,
  files: Readonly<Record<CaFileName, string>>,
  signal: AbortSignal,
): Promise<ApiObject> {
  const data = Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString("base64")]),
  );
  const metadata = { name: selfSigned };
  const body = { apiVersion: "v1", kind: "Secret", metadata, type: "istio.io/ca-root", data };
  try {
    return await api.send({ method: "POST", path: secrets, body }, signal);
  } catch (error) {
    if (!(error instanceof KubernetesError && error.code === "CONFLICT")) throw error;
    return api.send({ path: `${secrets}/${selfSigned}` }, signal);
  }
}

/** istiod leaves the chain of its own root empty, and may leave the root: the certificate is its own root then. */
function textsIn(secret: ApiObject): Readonly<Record<CaFileName, string>> {
  const data = textsOf(secret["data"]);
  const texts = Object.fromEntries(
    caFileNames.map((name) => [name, Buffer.from(data[name] ?? "", "base64").toString("utf8")]),
  ) as Record<CaFileName, string>;
  const certificate = texts["ca-cert.pem"];
  return {
    ...texts,
    "cert-chain.pem": texts["cert-chain.pem"] || certificate,
    "root-cert.pem": texts["root-cert.pem"] || certificate,
  };
}
