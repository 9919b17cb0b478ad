/**
 * The Envoy of a pod of a cluster, by its admin interface through the cluster's API.
 */
import type { Arguments, CommandContext } from "../../command/command.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { findPod, readPodWord } from "../kubernetes/find-pod.ts";
import { openCluster } from "../kubernetes/open-cluster.ts";
import { PortForward } from "../kubernetes/port-forward.ts";
import { answering, askAdmin, ProxyError, type ProxySource } from "./find.ts";

/** Port of Envoy's admin interface in a pod, unless told. */
const usualAdminPort = 15_000;

/** @param word names a pod, or what has some @throws ProxyError, KubeconfigError, KubernetesError, PodNameError */
export async function podSource(
  args: Arguments,
  word: string,
  { env, shutdown }: Pick<CommandContext, "env" | "shutdown">,
): Promise<ProxySource> {
  const api = await openCluster(args, { env });
  try {
    const namespace = args.optionalString("namespace") ?? api.namespace ?? "default";
    const pod = await findPod(api, readPodWord(word, namespace), shutdown);
    const target = {
      ...{ namespace: pod.namespace, pod: pod.name },
      port: args.optionalNumber("proxy-admin-port") ?? usualAdminPort,
    };
    const name = `${pod.name}.${pod.namespace}`;
    return {
      ...answering(name, async (method, url) => {
        // A question of its own has a connection of its own: nothing is kept open between two.
        await using forward = await PortForward.listen(api, target);
        try {
          return await askAdmin(forward.place, method, url, shutdown);
        } catch (error) {
          throw forward.failure ?? noAnswer(name, target.port, url, error);
        }
      }),
      [Symbol.dispose]: () => {
        api[Symbol.dispose]();
      },
    };
  } catch (error) {
    api[Symbol.dispose]();
    throw error;
  }
}

function noAnswer(name: string, port: number, url: string, error: unknown): ProxyError {
  return new ProxyError(
    `the Envoy of ${name} did not answer ${url} on its port ${port}: ${errorMessage(error)}. --proxy-admin-port names another one; ` +
      "has the pod a sidecar?",
    { cause: error },
  );
}
