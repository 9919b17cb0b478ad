/**
 * Which pod of a cluster a word means, as with istioctl: `reviews-v1-abc`, `reviews-v1-abc.default`, `deploy/reviews-v1.default`.
 */
import { KubernetesError } from "../../controlplane/kubernetes/api-error.ts";
import type { ApiObject, KubernetesApi } from "../../controlplane/kubernetes/api.ts";
import { mappingOf, mappingsOf, textOf, textsOf } from "../../controlplane/kubernetes/resource.ts";
import { isMapping } from "../../document/mapping.ts";
import { listPods, type Pod, podOf } from "./pod.ts";

/** The word means no pod that can be asked; the message says why and what to do. */
export class PodNameError extends Error {
  override readonly name = "PodNameError";
}

/** Kinds that have pods, by the names that kubectl takes for them. */
const kinds: Readonly<Record<string, readonly string[]>> = {
  "/api/v1/pods": ["pod", "pods", "po"],
  "/api/v1/services": ["service", "services", "svc"],
  "/api/v1/replicationcontrollers": ["replicationcontroller", "replicationcontrollers", "rc"],
  "/apis/apps/v1/deployments": ["deployment", "deployments", "deploy", "deployments.apps", "deployment.apps"],
  "/apis/apps/v1/replicasets": ["replicaset", "replicasets", "rs", "replicasets.apps", "replicaset.apps"],
  "/apis/apps/v1/statefulsets": [
    "statefulset",
    "statefulsets",
    "sts",
    "statefulsets.apps",
    "statefulset.apps",
  ],
  "/apis/apps/v1/daemonsets": ["daemonset", "daemonsets", "ds", "daemonsets.apps", "daemonset.apps"],
  "/apis/batch/v1/jobs": ["job", "jobs", "jobs.batch", "job.batch"],
};

const podPath = "/api/v1/pods";

/** What a word says. */
export interface PodWord {
  /** Path of the kind, without a namespace. */
  readonly kind: string;
  /** As it was written; undefined for a pod without one. */
  readonly kindWord: string | undefined;
  readonly name: string;
  readonly namespace: string;
}

/** Pure. @param namespace of a word that has none @throws PodNameError */
export function readPodWord(word: string, namespace: string): PodWord {
  const [, kindWord, rest = ""] = /^(?:([^/]*)\/)?(.*)$/s.exec(word) ?? [];
  const kind =
    kindWord === undefined
      ? podPath
      : Object.entries(kinds).find(([, names]) => names.includes(kindWord.toLowerCase()))?.[0];
  if (kind === undefined)
    throw new PodNameError(
      `${word}: ${JSON.stringify(kindWord)} is no kind that has pods: name one of ${Object.values(kinds)
        .flatMap(([name = ""]) => name)
        .join(", ")}`,
    );
  const [, name = rest, own = namespace] = /^(.+)\.([^.]+)$/s.exec(rest) ?? [];
  if (name === "" || rest.includes("/"))
    throw new PodNameError(`${word} is no name of a pod: KIND/NAME.NAMESPACE`);
  return { kind, kindWord, name, namespace: own };
}

/**
 * The pod that is to be asked: of several one that is ready, the first by name.
 *
 * @throws PodNameError, KubernetesError
 */
export async function findPod(api: KubernetesApi, word: PodWord, signal: AbortSignal): Promise<Pod> {
  const { kind, kindWord, name, namespace } = word;
  const called = kindWord === undefined ? `pod ${name}` : `${kindWord} ${name}`;
  const path = kind.replace(
    /\/([^/]+)$/,
    `/namespaces/${encodeURIComponent(namespace)}/$1/${encodeURIComponent(name)}`,
  );
  let found: ApiObject;
  try {
    found = await api.send({ path }, signal);
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    if (error.code === "FORBIDDEN") throw forbidden(path, error);
    if (error.code !== "NOT_FOUND") throw error;
    const hint = kindWord === undefined ? ", and deploy/NAME means a pod of a Deployment" : "";
    throw new PodNameError(
      `the cluster at ${api.server} has no ${called} in the namespace ${namespace}: -n names another one${hint}`,
      { cause: error },
    );
  }
  if (kind === podPath) {
    const pod = podOf(found);
    if (pod === undefined) throw new PodNameError(`the answer for ${called} is no pod: look at --kubeconfig`);
    return running([pod], called, namespace);
  }
  const labelSelector = selectorOf(mappingOf(found["spec"])["selector"]);
  if (labelSelector === "")
    throw new PodNameError(`${called} in the namespace ${namespace} selects no pods: name a pod`);
  try {
    return running(await listPods(api, namespace, { labelSelector }, signal), called, namespace);
  } catch (error) {
    if (error instanceof KubernetesError && error.code === "FORBIDDEN")
      throw forbidden(`the pods of ${namespace}`, error);
    throw error;
  }
}

function forbidden(what: string, error: KubernetesError): PodNameError {
  return new PodNameError(
    `${what} may not be read: ${error.said}. Who asks needs get and list of pods there, and get of what is named`,
    { cause: error },
  );
}

function running(pods: readonly Pod[], called: string, namespace: string): Pod {
  const able = pods.filter(({ phase }) => phase === "Running");
  const [best] = able.toSorted((a, b) => rank(a) - rank(b));
  if (best !== undefined) return best;
  const states =
    pods.length === 0
      ? "it has no pods"
      : pods.map(({ name, phase }) => `${name} is ${phase || "not told of"}`).join(", ");
  throw new PodNameError(
    `${called} in the namespace ${namespace} has nothing that runs and could be asked: ${states}. ` +
      `\`kubectl describe pod -n ${namespace}\` says why`,
  );
}

function rank({ isEnding, isReady }: Pod): number {
  return (isEnding ? 2 : 0) + (isReady ? 0 : 1);
}

/** Of a Service or a ReplicationController, and of what has a LabelSelector. In the words of the API's labelSelector. */
function selectorOf(selector: unknown): string {
  if (!isMapping(selector)) return "";
  const { matchLabels, matchExpressions } = selector;
  const isLabelSelector = isMapping(matchLabels) || Array.isArray(matchExpressions);
  const equal = Object.entries(textsOf(isLabelSelector ? matchLabels : selector)).map((pair) =>
    pair.join("="),
  );
  const others = mappingsOf(matchExpressions).map(({ key, operator, values }) => {
    const list = Array.isArray(values) ? values.join(",") : "";
    switch (operator) {
      case "In":
        return `${textOf(key)} in (${list})`;
      case "NotIn":
        return `${textOf(key)} notin (${list})`;
      case "DoesNotExist":
        return `!${textOf(key)}`;
      default:
        return textOf(key);
    }
  });
  return [...equal, ...others].join(",");
}
