/**
 * The ProxyConfig as the node's metadata has it: what Istio's agent would print in protobuf's JSON. A field without
 * presence that is zero is left out, and so is what is not the control plane's to know.
 */
import type { Json } from "../../bootstrap/parameters.ts";
import type { Field, Fields } from "./field.ts";
import type { MergedProxyConfig } from "./merge.ts";
import { proxyConfigFields } from "./schema.ts";
import { isMapping } from "../../document/mapping.ts";

/** @param fields as they were merged: each is of its field's type */
export function proxyConfigMetadata(fields: Readonly<Record<string, unknown>>): Json {
  return printMessage(proxyConfigFields, fields);
}

/** The same with every field there is, for templates: null, or what it means, where nothing sets one. */
export function everyField({ fields }: MergedProxyConfig): Json {
  const values: Readonly<Record<string, unknown>> = fields;
  return Object.fromEntries(
    Object.entries<Field>(proxyConfigFields).flatMap(([name, field]) => {
      const value = values[name] ?? field.unset;
      if (field.isUntold === true) return [];
      return [[name, value === undefined ? null : print(field, value)] as const];
    }),
  );
}

function printMessage(fields: Fields, values: Readonly<Record<string, unknown>>): Json {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => {
      const field = fields[name];
      if (field === undefined || value === undefined || field.isUntold === true) return [];
      if (field.isOptional !== true && isZero(field, value)) return [];
      return [[name, print(field, value)] as const];
    }),
  );
}

function isZero(field: Field, value: unknown): boolean {
  switch (field.kind) {
    case "choice":
      return value === field.names[0];
    case "list":
      return Array.isArray(value) && value.length === 0;
    case "map":
      return isMapping(value) && Object.keys(value).length === 0;
    // Messages have presence, and a duration is one.
    case "message":
    case "duration":
      return false;
    default:
      return value === "" || value === 0 || value === false;
  }
}

function print(field: Field, value: unknown): Json {
  switch (field.kind) {
    case "message":
      return isMapping(value) ? printMessage(field.fields, value) : null;
    case "list":
      return Array.isArray(value) ? value.map((item) => print(field.of, item)) : null;
    case "map":
      return isMapping(value)
        ? Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, print(field.of, entry)]))
        : null;
    case "duration":
      return withWholeGroups(String(value));
    case "integer":
      return field.isText === true ? String(value) : (value as number);
    default:
      return value as Json;
  }
}

/** Protobuf's JSON in Go has none, three, six or nine digits behind the point. */
function withWholeGroups(duration: string): string {
  return duration.replace(
    /\.(\d+)s$/,
    (_, digits: string) => `.${digits.padEnd(3 * Math.ceil(digits.length / 3), "0")}s`,
  );
}
