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
  /** What is not there is told with what to do. */
  const there = async <T>(what: string, remedy: string, asked: Promise<T>): Promise<T> => {
    try {
      return await asked;
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.code !== "NOT_FOUND") throw error;
      throw new Error(`the cluster at ${api.server} has no ${what}: ${remedy}`, { cause: error });
    }
  };
  return {
    group: async (namespace, name) => {
      const path = `/apis/networking.istio.io/v1/namespaces/${namespace}/workloadgroups/${name}`;
      const found = await there(
        `WorkloadGroup ${namespace}/${name}`,
        "apply it first, or name a file with -f",
        api.send({ path }, shutdown),
      );
      return readGroup(`${api.server}${path}`, stringify(found));
    },
    root: async (namespace) => {
      const data = await there(
        `ConfigMap ${namespace}/istio-ca-root-cert`,
        "a control plane that runs makes it in each namespace: install one, or wait for it",
        configMap(namespace, "istio-ca-root-cert"),
      );
      const root = textOf(data["root-cert.pem"]);
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
      const made = await there(
        `ServiceAccount ${namespace}/${serviceAccount}`,
        "make it first; its name is the group's spec.template.serviceAccount",
        api.send(request, shutdown),
      );
      return textOf(mappingOf(made["status"])["token"]);
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
