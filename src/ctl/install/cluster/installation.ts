/**
 * What a cluster has of an installation's own record: its release, and what it was told.
 */
import { parse } from "yaml";
import type { JsonObject } from "../../../controlplane/config/json-value.ts";
import type { KubernetesApi } from "../../../controlplane/kubernetes/api.ts";
import { at, textAt } from "../../../lifecycle/json-path.ts";
import { isMapping } from "../../../document/mapping.ts";
import { installedStateKey, installedStateName, revisioned } from "../render/names.ts";
import { systemNamespace } from "../spec/schema.ts";
import { isOwn, labelOf, pathOf, readObject } from "./objects.ts";

/** A revision that is there. */
export interface InstalledRevision {
  readonly release: string;
  /** `metadata.name` of the installation. */
  readonly name: string;
  /** What it has beside its profile; undefined where somebody has made that unreadable. */
  readonly given: JsonObject | undefined;
}

/** True for the record itself. */
export function isInstalledState(object: JsonObject): boolean {
  return object["kind"] === "ConfigMap" && at(object, "data", installedStateKey) !== undefined;
}

/** Undefined where the cluster has no such revision of this program's. @throws KubernetesError */
export async function installedRevision(
  api: KubernetesApi,
  revision: string,
  signal: AbortSignal,
): Promise<InstalledRevision | undefined> {
  const metadata = { name: revisioned(installedStateName, revision), namespace: systemNamespace };
  const state = await readObject(api, pathOf({ kind: "ConfigMap", metadata }), signal);
  if (state === undefined || !isOwn(state)) return undefined;
  const text = textAt(state, "data", installedStateKey) ?? "";
  return {
    release: labelOf(state, "version") ?? "unknown",
    name: labelOf(state, "name") ?? "",
    given: specIn(text),
  };
}

/** Undefined for what this program did not write. */
function specIn(text: string): JsonObject | undefined {
  try {
    const spec = at(parse(text), "spec");
    return isMapping(spec) ? (spec as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
