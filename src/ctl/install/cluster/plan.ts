/**
 * What an installation would change, asked of the server without a change: every obstacle is known before anything is done.
 */
import type { JsonObject } from "../../../controlplane/config/json-value.ts";
import type { ApiObject, KubernetesApi } from "../../../controlplane/kubernetes/api.ts";
import { KubernetesError } from "../../../controlplane/kubernetes/api-error.ts";
import { mappingsOf, textOf } from "../../../controlplane/kubernetes/resource.ts";
import { at, textAt } from "../../../lifecycle/json-path.ts";
import { severalAtOnce } from "../../../lifecycle/several-at-once.ts";
import { objectName } from "../difference.ts";
import { applyObject, type Change, changeOf } from "./apply.ts";
import { takenOver } from "../render/labels.ts";
import { isOwn, isTakenOver, pathOf, readObject } from "./objects.ts";

/** What is to become of one object. */
export interface PlannedObject {
  readonly object: JsonObject;
  /** `Deployment istio-system/outrider-discovery`. */
  readonly name: string;
  /** `kept` is somebody else's, and stays as it is. */
  readonly change: Change | "kept";
  /** Why it cannot be applied, and what to do; empty where it can. */
  readonly obstacles: readonly string[];
  /** As it is; undefined where there is none. */
  readonly before: ApiObject | undefined;
  /** As it would be; undefined where the server cannot say. */
  readonly after: ApiObject | undefined;
}

/** What others may have made before, and an installation needs no more of than that it is there. */
const shareable: readonly unknown[] = ["Namespace", "CustomResourceDefinition"];

/** @throws KubernetesError where the cluster does not answer, or knows nobody */
export async function planInstallation(
  api: KubernetesApi,
  objects: readonly JsonObject[],
  { isForced, signal }: { readonly isForced: boolean; readonly signal: AbortSignal },
): Promise<readonly PlannedObject[]> {
  const planned = await severalAtOnce(objects, atOnce, (object) => planObject(api, object, isForced, signal));
  // What keeps one from being made in a namespace that goes is that, however the server says it.
  const ending = new Set(
    planned.filter(({ before }) => isEnding(before)).map(({ object }) => textAt(object, "metadata", "name")),
  );
  return planned.map((each) =>
    ending.has(textAt(each.object, "metadata", "namespace")) ? { ...each, obstacles: [] } : each,
  );
}

/** A namespace that is being removed. */
function isEnding(object: ApiObject | undefined): boolean {
  return (
    textAt(object, "kind") === "Namespace" && textAt(object, "metadata", "deletionTimestamp") !== undefined
  );
}

/** Why it is there still, as its controller says it. */
function endingWords(namespace: ApiObject): string {
  const since = textAt(namespace, "metadata", "deletionTimestamp") ?? "";
  const remains = mappingsOf(at(namespace, "status", "conditions"))
    .filter(({ status, type }) => status === "True" && /Remaining$|Failure$/.test(textOf(type)))
    .map(({ message }) => textOf(message));
  const what = remains.length === 0 ? "" : ` (${remains.join(" ")})`;
  return `is being removed since ${since}, and nothing can be made in it${what}: wait until it is gone, and do this again`;
}

/** Questions that are open at a time. */
const atOnce = 8;

async function planObject(
  api: KubernetesApi,
  rendered: JsonObject,
  isForced: boolean,
  signal: AbortSignal,
): Promise<PlannedObject> {
  const name = objectName(rendered);
  const before = await readObject(api, pathOf(rendered), signal);
  const object = before === undefined || isOwn(before) ? rendered : takenOver(rendered);
  const kept = { object, name, before, after: before, change: "kept", obstacles: [] } as const;
  if (before !== undefined && isEnding(before)) return { ...kept, obstacles: [endingWords(before)] };
  if (before !== undefined && !isOwn(before)) {
    if (shareable.includes(rendered["kind"])) return kept;
    if (!isForced && !isTakenOver(before))
      return {
        ...{ object, name, before, after: undefined, change: "configured" },
        obstacles: [
          `is there, and outriderctl did not make it${madeBy(before)}: remove it, or take it over with --force`,
        ],
      };
  }
  try {
    const after = await applyObject(api, object, { isDryRun: true, isForced }, signal);
    return { object, name, before, after, change: changeOf(before, after), obstacles: [] };
  } catch (error) {
    const obstacles = obstaclesOf(error);
    if (obstacles === undefined) throw error;
    const change = before === undefined ? "created" : "configured";
    return { object, name, before, after: undefined, change, obstacles };
  }
}

/** Who has written it, as far as the server says so. */
function madeBy(object: ApiObject): string {
  const managers = mappingsOf(at(object, "metadata", "managedFields")).map(({ manager }) => textOf(manager));
  const names = [...new Set(managers)].filter((name) => name !== "");
  return names.length === 0 ? "" : ` (${names.join(", ")} did)`;
}

/** Undefined for an error that is not the object's. */
function obstaclesOf(error: unknown): readonly string[] | undefined {
  if (!(error instanceof KubernetesError)) return undefined;
  switch (error.code) {
    case "NOT_FOUND":
      // The namespace is to be made, too.
      return [];
    case "CONFLICT":
      return error.fields.length === 0 ? [error.message] : error.fields.map(conflict);
    case "FORBIDDEN":
      return [`may not be applied: ${error.said}. Ask somebody who may, or for that right`];
    case "UNUSABLE":
      return error.said === "" ? undefined : [`is refused: ${error.said}`];
    default:
      return undefined;
  }
}

/** The server's own words name the owner: `conflict with "kubectl-scale" using apps/v1`. */
function conflict({ field, message }: { readonly field: string; readonly message: string }): string {
  const owner = /^conflict with ("[^"]*")/.exec(message)?.[1] ?? message;
  return `${field} is set by ${owner}: leave it to that, or take it over with --force`;
}
