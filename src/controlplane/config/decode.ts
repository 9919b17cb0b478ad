/**
 * Decoders of YAML nodes: small functions that compose into the schema of a kind.
 *
 * A decoder never throws. It adds every problem with its line and path and returns undefined where there is no value,
 * so that one pass finds them all.
 */
import { distance } from "fastest-levenshtein";
import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Pair,
  type YAMLMap,
} from "yaml";
import type { ConfigProblem } from "./problem.ts";

/** Where problems go and how lines are found. */
export interface DecodeContext {
  readonly source: string;
  readonly lines: Pick<LineCounter, "linePos">;
  readonly problems: ConfigProblem[];
  /** How many of the problems are errors. */
  errors: number;
  /** After so many nothing more is looked at; all of a document is unless told. */
  readonly most?: number;
  /** What the aliases of the document stand for that is decoded; what they come to is bounded by its reader. */
  meant: ReadonlyMap<Alias, Node>;
}

/** Turns a node into a value, or adds problems. */
export interface Decoder<T> {
  (node: Node, path: string, context: DecodeContext): T | undefined;
  /** What is inside, for pages. */
  readonly shape?: Shape;
}

/** A mapping with known fields, or what each item of a list or a mapping is. */
export type Shape =
  | { readonly kind: "object"; readonly fields: Readonly<Record<string, Field<unknown>>> }
  | { readonly kind: "list" | "mapping"; readonly of: Decoder<unknown> };

/** A field of an object. */
export interface Field<T> {
  readonly decode: Decoder<T>;
  readonly isRequired: boolean;
  /** What it is where it is missing. */
  readonly otherwise?: T;
}

/** True once there are as many errors as anybody asked for. */
export function isEnough({ errors, most = Infinity }: DecodeContext): boolean {
  return errors >= most;
}

/** Add a problem at a node. @param code Istio's for such a message, where it has one */
export function report(
  context: DecodeContext,
  node: Node | undefined,
  path: string,
  message: string,
  severity?: ConfigProblem["severity"],
  code?: string,
): void {
  // Half of them may be warnings.
  if (context.problems.length >= 2 * (context.most ?? Infinity) && severity !== undefined) return;
  const offset = node?.range?.[0];
  const line = offset === undefined ? 0 : context.lines.linePos(offset).line;
  if (severity === undefined) context.errors += 1;
  context.problems.push({
    source: context.source,
    line,
    path,
    message,
    ...(severity === undefined ? {} : { severity }),
    ...(code === undefined ? {} : { code }),
  });
}

/** The same decoder, whose problems have one of Istio's codes. */
export function coded<T>(code: string, decode: Decoder<T>): Decoder<T> {
  return (node, path, context) => {
    const from = context.problems.length;
    const value = decode(node, path, context);
    for (const problem of context.problems.splice(from)) context.problems.push({ ...problem, code });
    return value;
  };
}

/** Add what is not wrong but does not do what its writer may think. */
export function warn(context: DecodeContext, node: Node | undefined, path: string, message: string): void {
  report(context, node, path, message, "warning");
}

/** The node at `path`, or the nearest one above it that is in the file. */
export function deepestNode(root: Node, path: string): Node {
  let node: Node = root;
  for (const key of path.split(/[.[\]]+/).filter((part) => part !== "")) {
    const collection = node as Node & { get?: (key: unknown, keepScalar: true) => unknown };
    const next = collection.get?.(/^\d+$/.test(key) ? Number(key) : key, true) as Node | undefined;
    if (next === undefined || next === null) break;
    node = next;
  }
  return node;
}

/** What a node stands for: an alias for the node at its anchor. */
export function meant(node: Node, context: DecodeContext): Node {
  return isAlias(node) ? (context.meant.get(node) ?? node) : node;
}

/** The pairs of a mapping with those of the mappings that `<<` merges into it (YAML 1.1), its own first. */
export function pairsOf(node: YAMLMap, context: DecodeContext): readonly Pair[] {
  const isMerge = ({ key }: Pair): boolean => isScalar(key) && key.value === "<<";
  const own = node.items.filter((pair) => !isMerge(pair));
  if (own.length === node.items.length) return own;
  const names = new Set(own.map(({ key }) => nameOf(key)));
  const merged = node.items
    .filter(isMerge)
    .map(({ value }) => meant(value as Node, context))
    .flatMap((value) => (isSeq(value) ? value.items.map((item) => meant(item as Node, context)) : [value]))
    .flatMap((value) => (isMap(value) ? pairsOf(value, context) : []));
  return [
    ...own,
    ...merged.filter(({ key }) => {
      const name = nameOf(key);
      if (names.has(name)) return false;
      names.add(name);
      return true;
    }),
  ];
}

/** A key of a mapping as text. */
export function nameOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

/** A field that must be there. */
export function required<T>(decode: Decoder<T>): Field<T> {
  return { decode, isRequired: true };
}

/** A field that may be missing. */
export function optional<T>(decode: Decoder<T>): Field<T | undefined> {
  return { decode, isRequired: false };
}

/** A field that means something where it is missing. */
export function defaulted<T>(decode: Decoder<T>, otherwise: T): Field<T> {
  return { decode, isRequired: false, otherwise };
}

/** Text that satisfies `test`. */
export function text(
  expected = "text",
  test: (value: string) => boolean = (value) => value !== "",
): Decoder<string> {
  return (node, path, context) => {
    const value = isScalar(node) ? node.value : undefined;
    const isText = typeof value === "string" && test(value);
    if (isText && !isSwitch(node)) return value;
    report(
      context,
      node,
      path,
      isText ? `${value} is true or false to Kubernetes: put it in quotes` : `must be ${expected}`,
    );
    return undefined;
  };
}

/** A word without quotes that YAML 1.1, which Kubernetes and Istio read, takes for true or false. */
export function isSwitch(node: Node): boolean {
  return isScalar(node) && node.type === "PLAIN" && /^(?:y|yes|on|n|no|off)$/i.test(node.source ?? "");
}

/** A whole number within bounds, or any number where it may be a fraction. */
export function integer(
  least: number,
  most: number,
  { takesFractions = false }: { readonly takesFractions?: boolean } = {},
): Decoder<number> {
  return (node, path, context) => {
    const value = isScalar(node) ? node.value : undefined;
    const isNumber = typeof value === "number" && (takesFractions || Number.isInteger(value));
    if (isNumber && value >= least && value <= most) return value;
    report(context, node, path, `must be a ${takesFractions ? "" : "whole "}number from ${least} to ${most}`);
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

/** The same, written in capitals or not. */
export function oneOfAnyCase<const Word extends string>(...words: readonly Word[]): Decoder<Word> {
  return (node, path, context) => {
    const value = isScalar(node) && typeof node.value === "string" ? node.value.toUpperCase() : undefined;
    const found = words.find((word) => word === value);
    if (found === undefined) report(context, node, path, `must be one of ${words.join(", ")}`);
    return found;
  };
}

/** What is there and does not count. */
export const anything: Decoder<true> = () => true;

/** A list of at least `least` items. */
export function list<T>(decode: Decoder<T>, least = 0): Decoder<readonly T[]> {
  return Object.assign<Decoder<readonly T[]>, { shape: Shape }>(
    (node, path, context) => {
      if (!isSeq(node)) {
        report(context, node, path, "must be a list");
        return undefined;
      }
      if (node.items.length < least) report(context, node, path, `must have at least ${least} item`);
      return node.items.flatMap((item, index) => {
        if (isEnough(context)) return [];
        const value = decode(meant(item as Node, context), `${path}[${index}]`, context);
        return value === undefined ? [] : [value];
      });
    },
    { shape: { kind: "list", of: decode } },
  );
}

/** What the keys of a mapping must be. */
export interface KeyForm {
  readonly expected: string;
  readonly test: (key: string) => boolean;
  /** How many there may be. */
  readonly most?: number;
}

/** A mapping with free keys, or with those of a form. */
export function mapping<T>(decode: Decoder<T>, form?: KeyForm): Decoder<Readonly<Record<string, T>>> {
  return Object.assign<Decoder<Readonly<Record<string, T>>>, { shape: Shape }>(
    (node, path, context) => {
      if (!isMap(node)) {
        report(context, node, path, "must be a mapping");
        return undefined;
      }
      const values = new Map<string, T>();
      const pairs = pairsOf(node, context);
      if (form?.most !== undefined && pairs.length > form.most)
        report(context, node, path, `must have at most ${form.most} items`);
      for (const { key, value } of pairs) {
        if (isEnough(context)) break;
        const name = nameOf(key);
        if (form?.test(name) === false)
          report(context, key as Node, `${path}.${name}`, `must be ${form.expected}`);
        const decoded = decode(meant(value as Node, context), `${path}.${name}`, context);
        if (decoded !== undefined) values.set(name, decoded);
      }
      // Not by assignment: `__proto__` is a name like any other.
      return Object.fromEntries(values);
    },
    { shape: { kind: "mapping", of: decode } },
  );
}

/** What a decoder gives. */
export type Decoded<D> = D extends Decoder<infer T> ? T : never;

type ValueOf<F> = F extends Field<infer T> ? T : never;

type Names<Fields, IsOptional> = {
  readonly [Name in keyof Fields]: (undefined extends ValueOf<Fields[Name]> ? true : false) extends IsOptional
    ? Name
    : never;
}[keyof Fields];

type Values<Fields> = { readonly [Name in Names<Fields, false>]: ValueOf<Fields[Name]> } & {
  readonly [Name in Names<Fields, true>]?: ValueOf<Fields[Name]>;
};

/** A mapping with known fields; any other field is a problem. */
export function object<const Fields extends Readonly<Record<string, Field<unknown>>>>(
  fields: Fields,
): Decoder<Values<Fields>> {
  const known: ReadonlyMap<string, Field<unknown>> = new Map(Object.entries(fields));
  return Object.assign<Decoder<Values<Fields>>, { shape: Shape }>(
    (node, path, context) => {
      if (!isMap(node)) {
        report(context, node, path, "must be a mapping");
        return undefined;
      }
      const before = context.errors;
      const values: Record<string, unknown> = {};
      const pairs = pairsOf(node, context);
      for (const { key, value } of pairs) {
        if (isEnough(context)) return undefined;
        const name = nameOf(key);
        const field = known.get(name);
        const at = path === "" ? name : `${path}.${name}`;
        if (field === undefined) report(context, key as Node, at, unknownField(name, [...known.keys()]));
        else if (value !== null) values[name] = field.decode(meant(value as Node, context), at, context);
      }
      // A key may stand in braces without a value.
      const names = new Set(pairs.flatMap(({ key, value }) => (value === null ? [] : [nameOf(key)])));
      for (const [name, field] of known) {
        if (names.has(name)) continue;
        if (field.isRequired) report(context, node, path === "" ? name : `${path}.${name}`, "is missing");
        if (field.otherwise !== undefined) values[name] = field.otherwise;
      }
      return context.errors === before ? (values as unknown as Values<Fields>) : undefined;
    },
    { shape: { kind: "object", fields } },
  );
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
