/**
 * Values of any form, as messages that are not ours have them: JSON as it stands in YAML.
 */
import { isMap, isScalar, isSeq, type Node } from "yaml";
import { type DecodeContext, type Decoder, isSwitch, meant, nameOf, pairsOf, report } from "./decode.ts";

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A mapping in it. */
export interface JsonObject {
  readonly [name: string]: Json;
}

/** Whatever there is. */
export const json: Decoder<Json> = (node, path, context) => valueOf(node, path, context);

/** A mapping of whatever there is. */
export const jsonObject: Decoder<JsonObject> = (node, path, context) => {
  if (isMap(node)) return valueOf(node, path, context) as JsonObject | undefined;
  report(context, node, path, "must be a mapping");
  return undefined;
};

function valueOf(given: Node, path: string, context: DecodeContext): Json | undefined {
  const node = meant(given, context);
  if (isMap(node)) {
    const fields = pairsOf(node, context).map(({ key, value }): readonly [string, Json] => {
      const name = nameOf(key);
      return [name, value === null ? null : (valueOf(value as Node, `${path}.${name}`, context) ?? null)];
    });
    // Not by assignment: `__proto__` is a name like any other.
    return Object.fromEntries(fields);
  }
  if (isSeq(node))
    return node.items.map((item, index) => valueOf(item as Node, `${path}[${index}]`, context) ?? null);
  const value: unknown = isScalar(node) ? node.value : undefined;
  if (isSwitch(node)) {
    report(context, node, path, `${String(value)} is true or false to Kubernetes: put it in quotes`);
    return undefined;
  }
  if (value === null || ["boolean", "string"].includes(typeof value)) return value as Json;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  report(context, node, path, "must be a value that JSON has");
  return undefined;
}

/** A mapping that stands in text as JSON; undefined for anything else. */
export function parseJsonObject(content: string): JsonObject | undefined {
  try {
    const value = JSON.parse(content) as Json;
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}
