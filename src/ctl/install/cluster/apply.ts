/**
 * One object applied by the server (server-side apply): the fields that it names are this program's, whoever else has others.
 */
import { isDeepStrictEqual } from "node:util";
import type { JsonObject } from "../../../controlplane/config/json-value.ts";
import type { ApiObject, KubernetesApi } from "../../../controlplane/kubernetes/api.ts";
import { KubernetesError } from "../../../controlplane/kubernetes/api-error.ts";
import { mappingOf } from "../../../controlplane/kubernetes/resource.ts";
import { backoffDelayMs } from "../../../lifecycle/backoff.ts";
import { sleep } from "../../../lifecycle/sleep.ts";
import { fieldManager } from "../render/labels.ts";
import { pathOf } from "./objects.ts";

/** What becomes of an object. */
export type Change = "created" | "configured" | "unchanged";

/** How it is applied. */
export interface ApplyOptions {
  /** The server does everything but keep it. */
  readonly isDryRun: boolean;
  /** Fields that somebody else has become this program's. */
  readonly isForced: boolean;
}

/** What a server that asks to come again later is given, in milliseconds. */
const backoff = { initialMs: 250, multiplier: 2, maxMs: 4_000, jitter: 0.2 };
const mostTries = 6;

/** The object as the server has it then. @throws KubernetesError */
export async function applyObject(
  api: KubernetesApi,
  object: JsonObject,
  { isDryRun, isForced }: ApplyOptions,
  signal: AbortSignal,
): Promise<ApiObject> {
  const query = { fieldManager, force: `${isForced}`, ...(isDryRun ? { dryRun: "All" } : {}) };
  for (let tries = 1; ; tries += 1) {
    try {
      return await api.send(
        {
          method: "PATCH",
          path: pathOf(object),
          query,
          body: object,
          contentType: "application/apply-patch+yaml",
        },
        signal,
      );
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.code !== "BUSY" || tries >= mostTries) throw error;
      await sleep(error.retryAfterMs ?? backoffDelayMs(backoff, tries - 1, Math.random()), signal);
      signal.throwIfAborted();
    }
  }
}

/** Pure. @param before undefined where there was none */
export function changeOf(before: ApiObject | undefined, after: ApiObject): Change {
  if (before === undefined) return "created";
  return isDeepStrictEqual(lasting(before), lasting(after)) ? "unchanged" : "configured";
}

/** Without what the server writes whenever it writes. */
function lasting(object: ApiObject): ApiObject {
  const {
    managedFields: _fields,
    resourceVersion: _version,
    generation: _generation,
    ...metadata
  } = mappingOf(object["metadata"]);
  return { ...object, metadata };
}
