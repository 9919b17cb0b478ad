/**
 * Brings a cluster to an installation: every obstacle first, then the objects in their order, then the wait, then what the API
 * asks about others, then away with what the installation had before and has no more, and at last its record. Each step may be
 * done again: one that was ended half-way is done by the next call.
 */
import type { JsonObject } from "../../../controlplane/config/json-value.ts";
import type { ApiObject, KubernetesApi } from "../../../controlplane/kubernetes/api.ts";
import { severalAtOnce } from "../../../lifecycle/several-at-once.ts";
import { objectName } from "../difference.ts";
import type { Progress } from "../progress.ts";
import { applyObject, changeOf } from "./apply.ts";
import { isInstalledState } from "./installation.ts";
import { kindRow } from "./kinds.ts";
import { installedObjects, isOwn, labelOf, pathOf, removeObject } from "./objects.ts";
import type { PlannedObject } from "./plan.ts";
import { waitUntilReady } from "./wait.ts";

/** How it is done. */
export interface InstallOptions {
  readonly name: string;
  readonly revision: string;
  readonly isForced: boolean;
  /** Undefined to wait for nothing, in milliseconds. */
  readonly timeoutMs: number | undefined;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Lines of what hangs, none when all is ready. @throws KubernetesError */
export async function install(
  api: KubernetesApi,
  planned: readonly PlannedObject[],
  options: InstallOptions,
): Promise<readonly string[]> {
  const { progress } = options;
  const isLate = ({ object }: PlannedObject): boolean => kindRow(object["kind"]).isLate === true;
  const isRecord = ({ object }: PlannedObject): boolean => isInstalledState(object);
  const applied = await applyAll(
    api,
    planned.filter((each) => !isLate(each) && !isRecord(each)),
    options,
  );
  const hanging = await waitFor(api, applied, options);
  // With nobody to answer they would keep the cluster from what it does; and what was there before may still be needed.
  if (hanging.length === 0) {
    await applyAll(api, planned.filter(isLate), options);
    await prune(api, planned, options);
    // Until then the one before is the last that was good, which an upgrade goes back to.
    await applyAll(api, planned.filter(isRecord), options);
  }
  progress.end();
  return hanging;
}

/** Objects of one kind need nothing of each other. */
async function applyAll(
  api: KubernetesApi,
  planned: readonly PlannedObject[],
  options: InstallOptions,
): Promise<readonly ApiObject[]> {
  const applied: ApiObject[] = [];
  for (const alike of Map.groupBy(planned, ({ object }) => object["kind"]).values())
    applied.push(...(await severalAtOnce(alike, atOnce, (each) => applyOne(api, each, options))));
  return applied;
}

/** Questions that are open at a time. */
const atOnce = 8;

async function applyOne(
  api: KubernetesApi,
  { object, name, change, before }: PlannedObject,
  { isForced, progress, signal }: InstallOptions,
): Promise<ApiObject> {
  if (change === "kept") {
    progress.done(name, "is somebody else's, and stays as it is");
    return object;
  }
  const after = await applyObject(api, object, { isDryRun: false, isForced }, signal);
  progress.done(name, changeOf(before, after));
  return after;
}

async function waitFor(
  api: KubernetesApi,
  objects: readonly ApiObject[],
  { timeoutMs, progress, signal }: InstallOptions,
): Promise<readonly string[]> {
  if (timeoutMs === undefined) return [];
  return waitUntilReady(api, objects, {
    timeoutMs,
    signal,
    onWaiting: (reasons) => {
      progress.waiting(reasons);
    },
  });
}

/** What the installation has in the cluster and not in `planned`; tags are made by themselves. */
export async function superfluous(
  api: KubernetesApi,
  planned: readonly { readonly object: JsonObject }[],
  { name, revision, signal }: Pick<InstallOptions, "name" | "revision" | "signal">,
): Promise<readonly ApiObject[]> {
  const wanted = new Set(planned.map(({ object }) => pathOf(object)));
  const there = await installedObjects(api, signal, revision);
  return there.filter(
    (object) =>
      isOwn(object) &&
      labelOf(object, "name") === name &&
      labelOf(object, "component") !== "Tag" &&
      !wanted.has(pathOf(object)),
  );
}

async function prune(
  api: KubernetesApi,
  planned: readonly PlannedObject[],
  options: InstallOptions,
): Promise<void> {
  const gone = await superfluous(api, planned, options);
  for (const object of gone.toReversed()) {
    await removeObject(api, pathOf(object), false, options.signal);
    options.progress.done(objectName(object), "removed");
  }
}
