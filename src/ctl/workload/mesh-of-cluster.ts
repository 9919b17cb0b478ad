/**
 * What a cluster knows, as Istio's installation and `outrider discovery` leave it there.
 */
import { stringify } from "yaml";
import type { Arguments, CommandContext } from "../../command/command.ts";
import { KubernetesError } from "../../controlplane/kubernetes/api-error.ts";
import { mappingOf, textOf } from "../../controlplane/kubernetes/resource.ts";
import { openCluster } from "../kubernetes/open-cluster.ts";
import type { MeshSource } from "./mesh-source.ts";
import { readGroup } from "./read-group.ts";

const istiodPort = 15_012;

/**
 * Ask the cluster that the flags name until disposed.
 *
 * @param istioNamespace of the control plane
 * @throws KubeconfigError
 */
export async function meshOfCluster(
  args: Arguments,
  istioNamespace: string,
  { env, shutdown }: Pick<CommandContext, "env" | "shutdown">,
): Promise<MeshSource & Disposable> {
  const api = await openCluster(args, { env });
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
        return textOf((await configMap(istioNamespace, "istio"))["mesh"]);
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
