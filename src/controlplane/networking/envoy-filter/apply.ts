/** How a list of named things is changed. */
import type { Json, JsonObject } from "../../config/json-value.ts";
import type { Patch } from "../../model/patches.ts";
import { patchedMessage } from "../../config/patch-values.ts";
import { isObject, mergeAny, mergeJson } from "./merge-json.ts";

/** Where a proxy's traffic comes from. */
export type PatchContext = "SIDECAR_INBOUND" | "SIDECAR_OUTBOUND" | "GATEWAY";

/** The changes for a proxy, in order, and which of them found anything to change. */
export interface Patches {
  readonly context: PatchContext;
  readonly list: readonly Patch[];
  readonly applied: Set<string>;
}

/** Those of a kind that are for the context. */
export function patchesTo({ list, context }: Patches, applyTo: Patch["applyTo"]): readonly Patch[] {
  return list.filter(
    (patch) => patch.applyTo === applyTo && ["ANY", context].includes(patch.match.context ?? "ANY"),
  );
}

/** The second laid over the first, as the operation says. */
export function merged(patch: Patch, into: JsonObject): JsonObject {
  const lists = patch.operation === "MERGE_AND_REPLACE_LIST" ? "replace" : "append";
  return mergeJson(patchedMessage(patch.applyTo), into, patch.value, lists);
}

/** True for both ways to merge. */
export function isMerging({ operation }: Patch): boolean {
  return operation === "MERGE" || operation === "MERGE_AND_REPLACE_LIST";
}

/** Something with a configuration of a type of its own: a filter, a transport socket. */
export function mergedExtension(into: JsonObject, from: JsonObject): JsonObject {
  const [own, given] = [into["typedConfig"], from["typedConfig"]];
  const typedConfig = isObject(own) && isObject(given) ? mergeAny(own, given) : undefined;
  return {
    ...into,
    ...(typeof from["name"] === "string" ? { name: from["name"] } : {}),
    ...(typedConfig === undefined ? {} : { typedConfig }),
  };
}

/**
 * Filters after one change.
 *
 * @param wanted name of the filter that the change is about; undefined for none
 */
export function changedFilters(
  filters: readonly JsonObject[],
  patch: Patch,
  wanted: string | undefined,
  { applied }: Patches,
): readonly JsonObject[] {
  const { operation, value, id } = patch;
  const done = (list: readonly JsonObject[]): readonly JsonObject[] => {
    applied.add(id);
    return list;
  };
  const isWanted = ({ name }: JsonObject): boolean => name === wanted;
  const at = filters.findIndex(isWanted);
  switch (operation) {
    case "ADD":
      return done([...filters, value]);
    case "INSERT_FIRST":
      return done([value, ...filters]);
    case "INSERT_AFTER":
      if (wanted === undefined) return done([...filters, value]);
      return at < 0 ? filters : done(filters.toSpliced(at + 1, 0, value));
    case "INSERT_BEFORE":
      if (wanted === undefined) return done([value, ...filters]);
      return at < 0 ? filters : done(filters.toSpliced(at, 0, value));
    case "REPLACE":
      return wanted === undefined || at < 0 ? filters : done(filters.toSpliced(at, 1, value));
    case "REMOVE":
      return wanted === undefined || at < 0 ? filters : done(filters.filter((each) => !isWanted(each)));
    case "MERGE":
    case "MERGE_AND_REPLACE_LIST":
      return filters;
  }
}

/** Mappings in a list of a message. */
export function listOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];
}
