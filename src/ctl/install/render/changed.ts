/**
 * Objects with a part changed. Pure.
 */
import { isMapping } from "../../../document/mapping.ts";
import type { Json, JsonObject } from "../../../controlplane/config/json-value.ts";

/** With what `change` makes of the value at `path`, where mappings that are not there are made; undefined takes it out. */
export function changed(
  object: JsonObject,
  [name = "", ...rest]: readonly string[],
  change: (value: Json | undefined) => Json | undefined,
): JsonObject {
  const held = object[name];
  const value = rest.length === 0 ? change(held) : changed(mappingOf(held), rest, change);
  if (value !== undefined) return { ...object, [name]: value };
  const { [name]: _gone, ...others } = object;
  return others;
}

/** With fields joined to the mapping at `path`, the object itself where that is empty; those that are undefined stay as they are. */
export function joined(
  object: JsonObject,
  path: readonly string[],
  fields: Readonly<Record<string, Json | undefined>>,
): JsonObject {
  const given = Object.entries(fields).filter((field): field is [string, Json] => field[1] !== undefined);
  if (given.length === 0) return object;
  if (path.length === 0) return { ...object, ...Object.fromEntries(given) };
  return changed(object, path, (value) => ({ ...mappingOf(value), ...Object.fromEntries(given) }));
}

/** With the first item of the list at `path` changed. */
export function firstChanged(
  object: JsonObject,
  path: readonly string[],
  change: (item: JsonObject) => JsonObject,
): JsonObject {
  return changed(object, path, (value) => {
    const [first, ...others] = Array.isArray(value) ? (value as readonly Json[]) : [];
    return [change(mappingOf(first)), ...others];
  });
}

/** A mapping, an empty one where there is none. */
export function mappingOf(value: Json | undefined): JsonObject {
  return isMapping(value) ? value : {};
}

/** A list, an empty one where there is none. */
export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
