/**
 * Decoders of YAML nodes: small functions that compose into the schema of a kind.
 *
 * A decoder never throws. It adds every problem with its line and path and returns undefined where there is no value,
 * so that one pass finds them all.
 */
import { distance } from "fastest-levenshtein";
import { isAlias, isMap, isScalar, isSeq, type LineCounter, type Node } from "yaml";
import type { ConfigProblem } from "./problem.ts";

/** Where problems go and how lines are found. */
export interface DecodeContext {
  readonly source: string;
  readonly lines: LineCounter;
  readonly problems: ConfigProblem[];
}

/** Turns a node into a value, or adds problems. */
export type Decoder<T> = (node: Node, path: string, context: DecodeContext) => T | undefined;

/** A field of an object. */
export interface Field<T> {
  readonly decode: Decoder<T>;
  readonly isRequired: boolean;
}

/** Add a problem at a node. */
export function report(context: DecodeContext, node: Node | undefined, path: string, message: string): void {
  const offset = node?.range?.[0];
  const line = offset === undefined ? 0 : context.lines.linePos(offset).line;
  context.problems.push({ source: context.source, line, path, message });
}

/** A field that must be there. */
export function required<T>(decode: Decoder<T>): Field<T> {
  return { decode, isRequired: true };
}

/** A field that may be missing. */
export function optional<T>(decode: Decoder<T>): Field<T | undefined> {
  return { decode, isRequired: false };
}

/** Text that satisfies `test`. */
export function text(
  expected = "text",
  test: (value: string) => boolean = (value) => value !== "",
): Decoder<string> {
  return (node, path, context) => {
    const value = isScalar(node) ? node.value : undefined;
    if (typeof value === "string" && test(value)) return value;
    report(context, node, path, `must be ${expected}`);
    return undefined;
  };
}

/** A whole number within bounds. */
export function integer(least: number, most: number): Decoder<number> {
  return (node, path, context) => {
    const value = isScalar(node) ? node.value : undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    report(context, node, path, `must be a whole number from ${least} to ${most}`);
    return undefined;
  };
}

/** True or false. */
export const boolean: Decoder<boolean> = (node, path, context) => {
  if (isScalar(node) && typeof node.value === "boolean") return node.value;
  report(context, node, path, "must be true or false");
  return undefined;
};

/** One of the given words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Decoder<Word> {
  return (node, path, context) => {
    const found = words.find((word) => isScalar(node) && node.value === word);
    if (found === undefined) report(context, node, path, `must be one of ${words.join(", ")}`);
    return found;
  };
}

/** A list of at least `least` items. */
export function list<T>(decode: Decoder<T>, least = 0): Decoder<readonly T[]> {
  return (node, path, context) => {
    if (!isSeq(node)) {
      report(context, node, path, "must be a list");
      return undefined;
    }
    if (node.items.length < least) report(context, node, path, `must have at least ${least} item`);
    return node.items.flatMap((item, index) => {
      const value = decode(item as Node, `${path}[${index}]`, context);
      return value === undefined ? [] : [value];
    });
  };
}

/** What the keys of a mapping must be. */
export interface KeyForm {
  readonly expected: string;
  readonly test: (key: string) => boolean;
}

/** A mapping with free keys, or with those of a form. */
export function mapping<T>(decode: Decoder<T>, form?: KeyForm): Decoder<Readonly<Record<string, T>>> {
  return (node, path, context) => {
    if (!isMap(node)) {
      report(context, node, path, "must be a mapping");
      return undefined;
    }
    const values = new Map<string, T>();
    for (const { key, value } of node.items) {
      const name = String(isScalar(key) ? key.value : key);
      if (form?.test(name) === false)
        report(context, key as Node, `${path}.${name}`, `must be ${form.expected}`);
      const decoded = decode(value as Node, `${path}.${name}`, context);
      if (decoded !== undefined) values.set(name, decoded);
    }
    // Not by assignment: `__proto__` is a name like any other.
    return Object.fromEntries(values);
  };
}

/** What a decoder gives. */
export type Decoded<D> = D extends Decoder<infer T> ? T : never;

type Values<Fields> = {
  readonly [Name in keyof Fields]: Fields[Name] extends Field<infer T> ? T : never;
};

/** A mapping with known fields; any other field is a problem. */
export function object<const Fields extends Readonly<Record<string, Field<unknown>>>>(
  fields: Fields,
): Decoder<Values<Fields>> {
  const known: ReadonlyMap<string, Field<unknown>> = new Map(Object.entries(fields));
  return (node, path, context) => {
    if (!isMap(node)) {
      report(context, node, path, "must be a mapping");
      return undefined;
    }
    const before = context.problems.length;
    const values: Record<string, unknown> = {};
    for (const { key, value } of node.items) {
      const name = String(isScalar(key) ? key.value : key);
      const field = known.get(name);
      const at = path === "" ? name : `${path}.${name}`;
      if (field === undefined) report(context, key as Node, at, unknownField(name, [...known.keys()]));
      else if (isAlias(value))
        report(context, value, at, "YAML aliases are not supported: write the value out");
      else if (value !== null) values[name] = field.decode(value as Node, at, context);
    }
    for (const [name, field] of known) {
      if (field.isRequired && !node.has(name)) {
        report(context, node, path === "" ? name : `${path}.${name}`, "is missing");
      }
    }
    return context.problems.length === before ? (values as Values<Fields>) : undefined;
  };
}

function unknownField(name: string, known: readonly string[]): string {
  const near =
    name.length > 64
      ? undefined
      : known.find((candidate) => distance(candidate.toLowerCase(), name.toLowerCase()) <= 2);
  return near === undefined
    ? `is not known here: this control plane reads ${known.join(", ")}`
    : `is not known here: did you mean ${near}?`;
}
