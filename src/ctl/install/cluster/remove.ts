/**
 * Removes what an installation made, and nothing else, in the order opposite to that of its making: first what the API asks about
 * others, last the namespace. What holds objects of others stays, and is told.
 */
import type { ApiObject, KubernetesApi } from "../../../controlplane/kubernetes/api.ts";
import { KubernetesError } from "../../../controlplane/kubernetes/api-error.ts";
import { severalAtOnce } from "../../../lifecycle/several-at-once.ts";
import { sleep } from "../../../lifecycle/sleep.ts";
import { textAt } from "../../../lifecycle/json-path.ts";
import { objectName } from "../difference.ts";
import type { Progress } from "../progress.ts";
import { foreignObjects } from "./foreign-objects.ts";
import { pathOf, readObject, removeObject } from "./objects.ts";

/** How it is done. */
export interface RemoveOptions {
  readonly isDryRun: boolean;
  /** For everything to be gone, in milliseconds. */
  readonly timeoutMs: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** What would be gone by then, of a removal that only asks. */
  readonly alsoGone?: readonly ApiObject[];
}

/** Questions that are open at a time. */
const atOnce = 8;

/** Between two looks whether something is gone, in milliseconds. */
const everyMs = 500;

/**
 * @param objects in the order in which they were applied
 * @returns what stays with the reason, and what is not gone in time, a line each
 * @throws KubernetesError
 */
export async function removeObjects(
  api: KubernetesApi,
  objects: readonly ApiObject[],
  options: RemoveOptions,
): Promise<{ readonly kept: readonly string[]; readonly remaining: readonly string[] }> {
  const { isDryRun, progress, signal, alsoGone = [] } = options;
  const own = new Set([...objects, ...alsoGone].map(objectName));
  const kept: string[] = [];
  const removed: ApiObject[] = [];
  const removeOne = async (object: ApiObject): Promise<void> => {
    const name = objectName(object);
    const holds = await foreignObjects(api, object, own, signal);
    if (holds.length > 0) {
      kept.push(`${name} stays: it holds ${listed(holds)}. Remove them first, and do this again`);
      return;
    }
    await removeObject(api, pathOf(object), isDryRun, signal);
    progress.done(name, isDryRun ? "would be removed" : "removed");
    removed.push(object);
  };
  // Objects of one kind need nothing of each other.
  for (const alike of Map.groupBy(objects.toReversed(), ({ kind }) => kind).values())
    await severalAtOnce(alike, atOnce, removeOne);
  const remaining = isDryRun ? [] : await untilGone(api, removed, options);
  return { kept, remaining };
}

/** Longest list of objects that is told whole. */
const mostListed = 5;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, mostListed).join(", ");
  return names.length > mostListed ? `${shown} and others` : shown;
}

async function untilGone(
  api: KubernetesApi,
  objects: readonly ApiObject[],
  { timeoutMs, progress, signal }: RemoveOptions,
): Promise<readonly string[]> {
  const end = performance.now() + timeoutMs;
  let told = "";
  for (let left = objects; ;) {
    const looked = await severalAtOnce(left, atOnce, (object) => readAgain(api, object, signal));
    // One of the same name that somebody made since is another one.
    const there = left.filter((object, index) => uidOf(looked[index]) === uidOf(object));
    if (there.length === 0) return [];
    const reasons = new Map(there.map((object) => [objectName(object), "to be gone"]));
    const words = [...reasons.keys()].join();
    if (words !== told) progress.waiting(reasons);
    told = words;
    if (performance.now() >= end)
      return there.map((object) => `${objectName(object)} is not gone: look at its finalizers`);
    left = there;
    await sleep(everyMs, signal);
    signal.throwIfAborted();
  }
}

function uidOf(object: ApiObject | undefined): string | undefined {
  return object === undefined ? undefined : (textAt(object, "metadata", "uid") ?? "");
}

/** An API that does not answer for a moment has it still. */
async function readAgain(
  api: KubernetesApi,
  object: ApiObject,
  signal: AbortSignal,
): Promise<ApiObject | undefined> {
  try {
    return await readObject(api, pathOf(object), signal);
  } catch (error) {
    if (error instanceof KubernetesError && ["UNREACHABLE", "BUSY"].includes(error.code)) return object;
    throw error;
  }
}
