/**
 * Messages laid together as protobuf does it, in its JSON form: single fields of the second count, lists go behind each
 * other, entries of mappings take each other's place.
 */
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { envoyMessage } from "../../config/envoy-messages.ts";
import type { Json, JsonObject } from "../../config/json-value.ts";

/** How lists are laid together. */
export type Lists = "append" | "replace";

/** @param lists whether lists of the second go behind the first's, or take their place */
export function mergeJson(schema: DescMessage, into: JsonObject, from: JsonObject, lists: Lists): JsonObject {
  const merged: Record<string, Json> = { ...into };
  for (const field of schema.fields) {
    const value = from[field.jsonName];
    if (value === undefined) continue;
    for (const other of field.oneof?.fields ?? [])
      if (other !== field) Reflect.deleteProperty(merged, other.jsonName);
    merged[field.jsonName] = mergeField(field, merged[field.jsonName], value, lists);
  }
  return merged;
}

/** Messages in `Any`s of one type; undefined for other types. */
export function mergeAny(into: JsonObject, from: JsonObject): JsonObject | undefined {
  const type = into["@type"];
  if (type !== from["@type"] || typeof type !== "string") return undefined;
  const schema = envoyMessage(type.slice(type.lastIndexOf("/") + 1));
  return schema === undefined ? undefined : { ...mergeJson(schema, into, from, "append"), "@type": type };
}

/** Messages whose JSON is no mapping of their fields: the second counts. */
const asOne = /^google\.protobuf\./;

function mergeField(field: DescField, into: Json | undefined, from: Json, lists: Lists): Json {
  if (field.fieldKind === "list")
    return lists === "append" && Array.isArray(into) && Array.isArray(from)
      ? ([...into, ...from] as Json[])
      : from;
  if (!isObject(into) || !isObject(from)) return from;
  if (field.fieldKind === "map") return { ...into, ...from };
  if (field.fieldKind !== "message") return from;
  if (field.message.typeName === "google.protobuf.Struct") return { ...into, ...from };
  return asOne.test(field.message.typeName) ? from : mergeJson(field.message, into, from, lists);
}

/** True for a mapping. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
