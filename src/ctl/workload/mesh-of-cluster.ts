/**
 * What a cluster knows, as Istio's installation and `outrider discovery` leave it there.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import type { CommandContext } from "../../command/command.ts";
import { KubernetesApi } from "../../controlplane/kubernetes/api.ts";
import { KubernetesError } from "../../controlplane/kubernetes/api-error.ts";
import { kubeconfigAccess } from "../../controlplane/kubernetes/kubeconfig.ts";
import { mappingOf, textOf } from "../../controlplane/kubernetes/resource.ts";
import { readSystemVariables } from "../../schema/system-variables.ts";
import type { MeshSource } from "./mesh-source.ts";
import { readGroup } from "./read-group.ts";

/** Which cluster. */
export interface ClusterTarget {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** Namespace of the control plane. */
  readonly istioNamespace: string;
}

const istiodPort = 15_012;

/** Ask it until disposed. @throws KubeconfigError */
export async function meshOfCluster(
  target: ClusterTarget,
  { env, shutdown }: Pick<CommandContext, "env" | "shutdown">,
): Promise<MeshSource & Disposable> {
  // kubectl joins several; the first one is where its current context is.
  const [given = ""] = readSystemVariables(env).KUBECONFIG.split(":");
  const file = target.kubeconfig ?? (given === "" ? join(homedir(), ".kube", "config") : given);
  const api = new KubernetesApi(await kubeconfigAccess({ file, context: target.context }));
  const configMap = async (namespace: string, name: string): Promise<Readonly<Record<string, unknown>>> =>
    mappingOf(
      (await api.send({ path: `/api/v1/namespaces/${namespace}/configmaps/${name}` }, shutdown))["data"],
    );
  return {
    group: async (namespace, name) => {
      const path = `/apis/networking.istio.io/v1/namespaces/${namespace}/workloadgroups/${name}`;
      const found = await api.send({ path }, shutdown);
      return readGroup(`${api.server}${path}`, stringify(found));
    },
    root: async (namespace) => {
      const root = textOf((await configMap(namespace, "istio-ca-root-cert"))["root-cert.pem"]);
      if (root === "")
        throw new Error(
          `the ConfigMap ${namespace}/istio-ca-root-cert has no root-cert.pem: is a control plane installed?`,
        );
      return root;
    },
    token: async ({ namespace, serviceAccount, lifetimeMs }) => {
      const request = {
        method: "POST",
        path: `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`,
        body: {
          apiVersion: "authentication.k8s.io/v1",
          kind: "TokenRequest",
          spec: { audiences: ["istio-ca"], expirationSeconds: Math.round(lifetimeMs / 1_000) },
        },
      } as const;
      return textOf(mappingOf((await api.send(request, shutdown))["status"])["token"]);
    },
    meshConfig: async () => {
      try {
        return textOf((await configMap(target.istioNamespace, "istio"))["mesh"]);
      } catch (error) {
        if (error instanceof KubernetesError && error.code === "NOT_FOUND") return undefined;
        throw error;
      }
    },
    discoveryPort: () => istiodPort,
    [Symbol.dispose]: () => {
      api[Symbol.dispose]();
    },
  };
}
