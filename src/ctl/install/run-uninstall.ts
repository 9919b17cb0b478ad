/**
 * One removal from what is there to its end, and what is said of it.
 */
import type { CommandContext } from "../../command/command.ts";
import type { ApiObject, KubernetesApi } from "../../controlplane/kubernetes/api.ts";
import { installedObjects, labelOf, removeObject } from "./cluster/objects.ts";
import { leftBehind } from "./cluster/left-behind.ts";
import { removeObjects } from "./cluster/remove.ts";
import { giveBack } from "./cluster/taken-over.ts";
import { objectName } from "./difference.ts";
import { progressOf } from "./progress.ts";

/** What is to be removed. */
export interface RemovalRun {
  /** Undefined for all of them, and what they share. */
  readonly revision: string | undefined;
  readonly isDryRun: boolean;
  readonly isForced: boolean;
  readonly timeoutMs: number;
}

/** How it ended; all else is told. @throws KubernetesError */
export async function uninstall(
  api: KubernetesApi,
  context: CommandContext,
  { revision, isDryRun, isForced, timeoutMs }: RemovalRun,
): Promise<"done" | "tagged" | "remaining"> {
  const { print, printError, shutdown: signal } = context;
  const objects = await installedObjects(api, signal, revision);
  const tags = revision === undefined ? [] : objects.filter(isTag);
  if (tags.length > 0 && !isForced) {
    printError(
      `tags point to revision ${revision ?? ""}: ${tags.map(objectName).join(", ")}. Set them to another one, or remove them too with --force`,
    );
    return "tagged";
  }
  const { gone: behind, kept: others } =
    revision === undefined ? await leftBehind(api, signal) : { gone: [], kept: [] };
  const stays = [...others, ...(await giveBack(api, { revision, isDryRun, signal }))];
  if (objects.length === 0 && behind.length === 0) {
    for (const line of stays) print(line);
    print(
      revision === undefined
        ? "the cluster has nothing of outriderctl's"
        : `the cluster has no revision ${revision} of outriderctl's`,
    );
    return "done";
  }
  const progress = progressOf(objects.length + behind.length, context);
  // The control plane goes before what it would make again.
  const shared = objects.filter((object) => labelOf(object, "component") === "Base");
  const own = objects.filter((object) => !shared.includes(object));
  const options = { isDryRun, timeoutMs, progress, signal };
  const first = await removeObjects(api, own, options);
  for (const { path, object } of behind) {
    await removeObject(api, path, isDryRun, signal);
    progress.done(objectName(object), isDryRun ? "would be removed" : "removed");
  }
  const gone = isDryRun ? [...own, ...behind.map((each) => each.object)] : [];
  const second = await removeObjects(api, shared, { ...options, alsoGone: gone });
  progress.end();
  const kept = [...stays, ...first.kept, ...second.kept];
  const remaining = [...first.remaining, ...second.remaining];
  for (const line of kept) print(line);
  for (const line of remaining) printError(line);
  if (remaining.length > 0) return "remaining";
  if (!isDryRun)
    print(`✔ ${revision === undefined ? "all that outriderctl made" : `revision ${revision}`} is removed`);
  return "done";
}

function isTag(object: ApiObject): boolean {
  return labelOf(object, "component") === "Tag" && object["kind"] === "MutatingWebhookConfiguration";
}
