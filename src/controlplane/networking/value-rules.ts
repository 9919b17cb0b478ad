/**
 * What one value of a field must be (the FieldRules of protoc-gen-validate): those of its rules that Envoy's API uses. Pure.
 */
import type { DescField } from "@bufbuild/protobuf";
import { type FieldRules, KnownRegex, type StringRules } from "../../proto/envoy/validate/validate_pb.js";

/** Seconds and nanoseconds. */
interface DurationValue {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** Every broken rule of a value that is set. */
export function brokenValueRules(rules: FieldRules, value: unknown, field: DescField): readonly string[] {
  const { case: kind, value: own } = rules.type;
  switch (kind) {
    case undefined:
    case "any":
    case "timestamp":
      return [];
    case "string":
      return textRules(own, value as string);
    case "bytes":
      return sizeRules(own, BigInt((value as Uint8Array).length), "bytes");
    case "bool":
      return has(own, "const") && own.const !== value ? [`must be ${String(own.const)}`] : [];
    case "enum":
      return own.notIn.includes(value as number) ||
        (own.definedOnly && field.enum?.values.every(({ number }) => number !== value) === true)
        ? ["must be another of its values"]
        : [];
    case "duration":
      return durationRules(own, value as DurationValue);
    case "repeated": {
      const items = value as readonly unknown[];
      const { items: each } = own;
      return [
        ...countRules(own.minItems, has(own, "maxItems") ? own.maxItems : undefined, items.length),
        ...(own.unique && new Set(items).size < items.length ? ["must have each item once"] : []),
        ...(each === undefined ? [] : items.flatMap((item) => brokenValueRules(each, item, field))),
      ];
    }
    case "map": {
      const entries = Object.entries(value as object);
      const { keys } = own;
      return [
        ...countRules(own.minPairs, has(own, "maxPairs") ? own.maxPairs : undefined, entries.length),
        ...(keys === undefined ? [] : entries.flatMap(([key]) => brokenValueRules(keys, key, field))),
      ];
    }
    default:
      return numberRules(own, value as number | bigint);
  }
}

/** Fields of these rules have values of their own where they are not set. */
function has<Rules extends object>(rules: Rules, name: keyof Rules): boolean {
  return Object.hasOwn(rules, name);
}

interface Bounds<Value> {
  readonly const: Value;
  readonly lt: Value;
  readonly lte: Value;
  readonly gt: Value;
  readonly gte: Value;
}

interface NumberRules extends Bounds<number | bigint> {
  readonly ignoreEmpty: boolean;
}

function numberRules(rules: NumberRules, value: number | bigint): readonly string[] {
  if (rules.ignoreEmpty && !value) return [];
  return boundRules(rules, value, (bound) => bound, String);
}

/** @param of what is compared */
function boundRules<Value>(
  rules: Bounds<Value>,
  value: number | bigint,
  of: (bound: Value) => number | bigint,
  told: (bound: Value) => string,
): readonly string[] {
  const { gt, gte, lt, lte } = rules;
  const isAbove = (!has(rules, "gt") || value > of(gt)) && (!has(rules, "gte") || value >= of(gte));
  const isBelow = (!has(rules, "lt") || value < of(lt)) && (!has(rules, "lte") || value <= of(lte));
  const low = has(rules, "gt") ? `more than ${told(gt)}` : has(rules, "gte") ? `at least ${told(gte)}` : "";
  const high = has(rules, "lt") ? `less than ${told(lt)}` : has(rules, "lte") ? `at most ${told(lte)}` : "";
  return isAbove && isBelow ? [] : [`must be ${[low, high].filter((part) => part !== "").join(" and ")}`];
}

function durationRules(
  rules: Partial<Bounds<DurationValue | undefined>>,
  { seconds, nanos }: DurationValue,
): readonly string[] {
  const set = Object.fromEntries(Object.entries(rules).filter(([, bound]) => bound !== undefined));
  const of = (bound: DurationValue): bigint => bound.seconds * 1_000_000_000n + BigInt(bound.nanos);
  return boundRules(
    set as unknown as Bounds<DurationValue>,
    of({ seconds, nanos }),
    of,
    (bound) => `${Number(of(bound)) / 1e9}s`,
  );
}

function countRules(min: bigint, max: bigint | undefined, count: number): readonly string[] {
  if (BigInt(count) >= min && (max === undefined || BigInt(count) <= max)) return [];
  return [`must have ${max === undefined ? `at least ${min}` : `${min} to ${max}`} entries`];
}

interface Sizes {
  readonly minLen: bigint;
  readonly maxLen: bigint;
}

function sizeRules(rules: Sizes, size: bigint, unit: string): readonly string[] {
  if (has(rules, "minLen") && size < rules.minLen) return [`must have at least ${rules.minLen} ${unit}`];
  if (has(rules, "maxLen") && size > rules.maxLen) return [`must have at most ${rules.maxLen} ${unit}`];
  return [];
}

/** Header names and values, as protoc-gen-validate has them: strictly, and not. */
const headerForms = {
  [KnownRegex.HTTP_HEADER_NAME]: [/^:?[0-9a-zA-Z!#$%&'*+\-.^_|~`]+$/, /^[^\0\n\r]+$/],
  [KnownRegex.HTTP_HEADER_VALUE]: [/^(?:\P{Cc}|[\t\u0080-\u009f])*$/u, /^[^\0\n\r]*$/],
} as const;

function textRules(rules: StringRules, value: string): readonly string[] {
  if (rules.ignoreEmpty && value === "") return [];
  const broken = [
    ...(has(rules, "minLen") || has(rules, "maxLen")
      ? sizeRules(rules, BigInt(Array.from(value).length), "characters")
      : []),
  ];
  if (has(rules, "minBytes") && BigInt(Buffer.byteLength(value)) < rules.minBytes)
    broken.push(`must have at least ${rules.minBytes} bytes`);
  if (has(rules, "maxBytes") && BigInt(Buffer.byteLength(value)) > rules.maxBytes)
    broken.push(`must have at most ${rules.maxBytes} bytes`);
  if (rules.in.length > 0 && !rules.in.includes(value)) broken.push(`must be ${rules.in.join(" or ")}`);
  if (has(rules, "prefix") && !value.startsWith(rules.prefix)) broken.push(`must begin with ${rules.prefix}`);
  if (has(rules, "suffix") && !value.endsWith(rules.suffix)) broken.push(`must end with ${rules.suffix}`);
  if (has(rules, "pattern") && !new RegExp(rules.pattern, "u").test(value))
    broken.push(`must match ${rules.pattern}`);
  const { wellKnown } = rules;
  // Envoy takes none for not set.
  const isForm = wellKnown.case === "wellKnownRegex" && value !== "";
  if (isForm && wellKnown.value !== KnownRegex.UNKNOWN) {
    const [strict, loose] = headerForms[wellKnown.value];
    const form = has(rules, "strict") && !rules.strict ? loose : strict;
    if (!form.test(value)) {
      const what = wellKnown.value === KnownRegex.HTTP_HEADER_NAME ? "name" : "value";
      broken.push(`must be a header's ${what}`);
    }
  }
  return broken;
}
