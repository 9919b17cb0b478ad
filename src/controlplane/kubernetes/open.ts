/**
 * The cluster that the control plane belongs to.
 */
import type { KubernetesAccess } from "./access.ts";
import { KubernetesApi } from "./api.ts";
import { type ClusterVariables, inClusterAccess } from "./in-cluster.ts";
import { KubeconfigError, kubeconfigAccess, type KubeconfigTarget } from "./kubeconfig.ts";

/** Which cluster. */
export interface KubernetesOptions {
  /** Undefined for the cluster that this pod is in. */
  readonly kubeconfig?: KubeconfigTarget | undefined;
  /** What Kubernetes puts into every pod. */
  readonly variables: ClusterVariables;
  /** Domain of its services. */
  readonly domain: string;
  /** The cluster says whose tokens are (TokenReview), rather than a JWKS. */
  readonly reviewsTokens: boolean;
}

/** @throws KubeconfigError */
export async function openKubernetes(options: KubernetesOptions): Promise<KubernetesApi> {
  return new KubernetesApi(await accessOf(options));
}

function accessOf({ kubeconfig, variables }: KubernetesOptions): Promise<KubernetesAccess> {
  if (kubeconfig !== undefined) return kubeconfigAccess(kubeconfig);
  const access = inClusterAccess(variables);
  if (access !== undefined) return Promise.resolve(access);
  throw new KubeconfigError("--registries=Kubernetes is outside of a cluster: name a file by --kubeconfig");
}
