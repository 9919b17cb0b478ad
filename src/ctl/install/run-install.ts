/**
 * One installation from its specification to its end, and what is said of it.
 */
import type { CommandContext } from "../../command/command.ts";
import type { JsonObject } from "../../controlplane/config/json-value.ts";
import type { KubernetesApi } from "../../controlplane/kubernetes/api.ts";
import { formatDuration } from "../../lifecycle/format-duration.ts";
import { install, superfluous } from "./cluster/install.ts";
import { labelOf, pathOf, readObject } from "./cluster/objects.ts";
import { planInstallation, type PlannedObject } from "./cluster/plan.ts";
import { objectName } from "./difference.ts";
import { progressOf } from "./progress.ts";
import { readManifests } from "./render/manifests.ts";
import { render } from "./render/render.ts";
import { tagObjectName } from "./render/tag.ts";
import { skewWords } from "./skew.ts";
import { defaultRevision, type InstallSpec } from "./spec/schema.ts";

/** What is to be done. */
export interface InstallationRun {
  readonly name: string;
  readonly spec: InstallSpec;
  readonly given: JsonObject;
  readonly revision: string;
  /** The release that the cluster has; undefined for none. */
  readonly installed: string | undefined;
  readonly isDryRun: boolean;
  readonly isForced: boolean;
  /** Undefined to wait for nothing, in milliseconds. */
  readonly timeoutMs: number | undefined;
}

/** How it ended; all else is told. @throws KubernetesError */
export async function applyInstallation(
  api: KubernetesApi,
  context: CommandContext,
  run: InstallationRun,
): Promise<"done" | "obstacles" | "unready"> {
  const { print, printError, shutdown: signal, program } = context;
  const skew = run.installed === undefined ? undefined : skewWords(run.installed, program.version);
  if (skew !== undefined) printError(skew.text);
  if (skew?.isFar === true && !run.isForced) {
    printError("nothing was changed: go by each minor release, or all at once with --force");
    return "obstacles";
  }
  const objects = render({ ...run, release: program.version }, readManifests(context.manifests));
  const planned = await planInstallation(api, objects, { isForced: run.isForced, signal });
  const obstacles = [
    ...planned.flatMap(({ name, obstacles: all }) => all.map((one) => `${name} ${one}`)),
    ...(await defaultTagObstacle(api, objects, run.revision, signal)),
  ];
  for (const obstacle of obstacles) printError(obstacle);
  if (obstacles.length > 0) {
    printError("nothing was changed");
    return "obstacles";
  }
  if (run.isDryRun) {
    const gone = await superfluous(api, planned, { ...run, signal });
    for (const line of dryRunLines(planned)) print(line);
    for (const object of gone) print(`${objectName(object)} would be removed`);
    return "done";
  }
  const progress = progressOf(planned.length, context);
  const hanging = await install(api, planned, { ...run, progress, signal }).finally(() => {
    progress.end();
  });
  if (hanging.length > 0) {
    printError(`not ready after ${formatDuration(run.timeoutMs ?? 0)}:`);
    for (const line of hanging) printError(`  ${line}`);
    if (run.installed !== undefined)
      printError(
        `what was there before serves until then, and its settings are kept: go back to them with outriderctl ${run.installed} upgrade, or do this again with others`,
      );
    return "unready";
  }
  const what = run.timeoutMs === undefined ? "applied" : "installed and ready";
  print(
    `✔ revision ${run.revision} of ${run.name} is ${what}: release ${program.version}, ${counts(planned)}`,
  );
  return "done";
}

/** Namespaces that name no revision have one that injects them. */
async function defaultTagObstacle(
  api: KubernetesApi,
  objects: readonly JsonObject[],
  revision: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const kind = "MutatingWebhookConfiguration";
  if (revision !== defaultRevision || !objects.some((object) => object["kind"] === kind)) return [];
  const name = tagObjectName(defaultRevision);
  const tag = await readObject(api, pathOf({ kind, metadata: { name } }), signal);
  if (tag === undefined) return [];
  return [
    `the tag default leads to revision ${labelOf(tag, "revision") ?? ""}, and namespaces would be injected by both: remove it first (outriderctl tag remove default), or install with another --revision`,
  ];
}

const would: Readonly<Record<PlannedObject["change"], string>> = {
  created: "would be created",
  configured: "would be configured",
  unchanged: "stays as it is",
  kept: "is somebody else's, and stays as it is",
};

function dryRunLines(planned: readonly PlannedObject[]): readonly string[] {
  return planned.map(({ name, change }) => `${name} ${would[change]}`);
}

function counts(planned: readonly PlannedObject[]): string {
  const words = (["created", "configured", "unchanged", "kept"] as const).flatMap((change) => {
    const count = planned.filter((each) => each.change === change).length;
    return count === 0 ? [] : [`${count} ${change}`];
  });
  return words.length === 0 ? "no objects" : `objects: ${words.join(", ")}`;
}
