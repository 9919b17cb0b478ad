/**
 * Waits until objects are ready, and says what hangs when they are not in time.
 */
import type { ApiObject, KubernetesApi } from "../../../controlplane/kubernetes/api.ts";
import { KubernetesError } from "../../../controlplane/kubernetes/api-error.ts";
import { textsOf } from "../../../controlplane/kubernetes/resource.ts";
import { errorMessage } from "../../../lifecycle/error-message.ts";
import { at, textAt } from "../../../lifecycle/json-path.ts";
import { sleep } from "../../../lifecycle/sleep.ts";
import { objectName } from "../difference.ts";
import { listObjects, pathOf, readObject } from "./objects.ts";
import { hangingPods, unreadyReason } from "./readiness.ts";

/** How long, and who is told. */
export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Told whenever it changes: what is waited for, by the names of objects. */
  readonly onWaiting: (waiting: ReadonlyMap<string, string>) => void;
}

/** Between two looks at what is not ready yet, in milliseconds. */
const everyMs = 500;

/**
 * @returns lines of what hangs, none when all are ready
 * @throws KubernetesError where the cluster is gone for as long as it is waited
 */
export async function waitUntilReady(
  api: KubernetesApi,
  objects: readonly ApiObject[],
  { timeoutMs, signal, onWaiting }: WaitOptions,
): Promise<readonly string[]> {
  const end = performance.now() + timeoutMs;
  let told = "";
  for (let left = objects; ;) {
    const looked = await Promise.all(left.map((object) => lookAt(api, object, signal)));
    const waiting = looked.filter(({ reason }) => reason !== undefined);
    if (waiting.length === 0) return [];
    const reasons = new Map(waiting.map(({ object, reason }) => [objectName(object), reason ?? ""]));
    const words = JSON.stringify([...reasons]);
    if (words !== told) onWaiting(reasons);
    told = words;
    left = waiting.map(({ object }) => object);
    if (performance.now() >= end) {
      const lines = await Promise.all(
        waiting.map(async ({ object, reason }) => [
          `${objectName(object)}: ${reason ?? ""}`,
          ...(await podsHanging(api, object, signal)).map((line) => `  ${line}`),
        ]),
      );
      return lines.flat();
    }
    await sleep(everyMs, signal);
    signal.throwIfAborted();
  }
}

interface Looked {
  readonly object: ApiObject;
  readonly reason: string | undefined;
}

/** An API that is gone for a moment is one more thing to wait for. */
async function lookAt(api: KubernetesApi, object: ApiObject, signal: AbortSignal): Promise<Looked> {
  try {
    const now = await readObject(api, pathOf(object), signal);
    return { object, reason: now === undefined ? "somebody removed it" : unreadyReason(now) };
  } catch (error) {
    if (error instanceof KubernetesError && ["UNREACHABLE", "BUSY"].includes(error.code))
      return { object, reason: errorMessage(error) };
    throw error;
  }
}

const pods = { kind: "Pod", group: "", version: "v1", plural: "pods", isNamespaced: true } as const;

/** What keeps the pods of a Deployment; nothing where nobody says. */
async function podsHanging(
  api: KubernetesApi,
  object: ApiObject,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const labels = Object.entries(textsOf(at(object, "spec", "selector", "matchLabels")));
  const namespace = textAt(object, "metadata", "namespace");
  if (object["kind"] !== "Deployment" || namespace === undefined || labels.length === 0) return [];
  try {
    const labelSelector = labels.map((pair) => pair.join("=")).join(",");
    const found = await listObjects(api, { ...pods, namespace }, { labelSelector }, signal);
    return found.length === 0
      ? ["it has no pods: look at the controllers of the cluster"]
      : hangingPods(found);
  } catch (error) {
    signal.throwIfAborted();
    return [`its pods cannot be looked at: ${errorMessage(error)}`];
  }
}
