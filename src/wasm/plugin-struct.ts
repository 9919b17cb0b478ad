/**
 * The configuration of a Wasm filter as JSON, in which a field may be called by either of its names. Pure.
 */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** The same with a file as its code, and without the variables for which `isLeftOut` holds. */
export function structWithFile(
  wasm: JsonObject,
  filename: string,
  isLeftOut: (variable: string) => boolean,
): JsonObject {
  return editAt(wasm, ["config", "vm_config"], (vm) => ({
    ...editAt(vm, ["environment_variables", "key_values"], (values) =>
      Object.fromEntries(Object.entries(values).filter(([key]) => !isLeftOut(key))),
    ),
    code: { local: { filename } },
  }));
}

/** Edit the object at a path; where there is none, nothing changes. */
function editAt(
  object: JsonObject,
  [field, ...rest]: readonly string[],
  edit: (object: JsonObject) => JsonObject,
): JsonObject {
  if (field === undefined) return edit(object);
  const key = [field, camelCase(field)].find((name) => isObject(object[name]));
  const inner = key === undefined ? undefined : object[key];
  return key === undefined || !isObject(inner) ? object : { ...object, [key]: editAt(inner, rest, edit) };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
