/**
 * Values of ProxyConfig fields: read by the rules of protobuf's JSON, and brought into one form.
 *
 * A value of the wrong type makes its source unusable; one that is only out of range counts where nothing stronger
 * replaces it.
 */
import { closest } from "fastest-levenshtein";
import { formatHostPort, parseHostPort } from "../../net/host-port.ts";
import { parseDurationMs, protobufDuration } from "../../schema/duration.ts";
import { shown } from "../../schema/config-problem.ts";
import { isMapping } from "../../document/mapping.ts";
import type { Field, Fields } from "./field.ts";
import { describeDurationRange, describeRange, isDurationWithin, isWithin } from "../../schema/range.ts";

/** What was found wrong with a value, by its path inside the ProxyConfig. */
export interface FieldFault {
  readonly path: string;
  readonly message: string;
  /** It could not be read at all, or it cannot be used. */
  readonly kind: "type" | "range" | "unknown";
}

/** Everything wrong is added to `faults`; undefined is what cannot be used, or is unset. */
export function readField(field: Field, value: unknown, path: string, faults: FieldFault[]): unknown {
  const refuse = (kind: FieldFault["kind"], expected: string): undefined => {
    faults.push({ path, kind, message: `${shown(value)} is not ${expected}` });
    return undefined;
  };
  if (value === null || value === undefined) return undefined;
  switch (field.kind) {
    case "text":
      return typeof value === "string" ? value : refuse("type", "text");
    case "flag":
      return typeof value === "boolean" ? value : refuse("type", "true or false");
    case "number":
      if (typeof value !== "number" || !Number.isFinite(value)) return refuse("type", "a number");
      return isWithin(value, field.range) ? value : refuse("range", describeRange(field.range));
    case "integer":
      return readInteger(field, value, refuse);
    case "duration":
      return readDuration(field, value, refuse);
    case "address":
      if (typeof value !== "string") return refuse("type", "text");
      // An empty one is none, which may be to take away what a weaker source has set.
      return (
        (value === "" ? value : normalAddress(value)) ??
        refuse("range", "host:port, such as istiod.istio-system.svc:15012 or [fd00::1]:15012")
      );
    case "choice": {
      const name = typeof value === "number" ? field.names[value] : value;
      return typeof name === "string" && field.names.includes(name)
        ? name
        : refuse("type", `one of ${field.names.join(", ")}`);
    }
    case "map":
      if (!isMapping(value)) return refuse("type", "a mapping of names to values");
      return readMap(field.of, value, path, faults);
    case "list":
      if (!Array.isArray(value)) return refuse("type", "a list");
      return value
        .map((item, index) => readField(field.of, item, `${path}[${index}]`, faults))
        .filter((item) => item !== undefined);
    case "message":
      if (!isMapping(value)) return refuse("type", "a mapping of fields");
      return readFields(field.fields, value, path, faults);
  }
}

/** The fields of a message; an unknown one is passed over, with what may have been meant. */
export function readFields(
  fields: Fields,
  value: Readonly<Record<string, unknown>>,
  path: string,
  faults: FieldFault[],
): Readonly<Record<string, unknown>> {
  const read: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(value)) {
    const name = key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    const entryPath = path === "" ? name : `${path}.${name}`;
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) {
      faults.push({
        path: path === "" ? key : `${path}.${key}`,
        kind: "unknown",
        message: unknown(name, fields),
      });
      continue;
    }
    const result = readField(field, entry, entryPath, faults);
    if (result !== undefined) read[name] = result;
  }
  return read;
}

/** Longest name that may be somebody's slip of the pen. */
const longestName = 64;

function unknown(name: string, fields: Fields): string {
  const known = name.length > longestName ? [] : Object.keys(fields);
  return known.length === 0
    ? "is not a known field"
    : `is not a known field; the nearest is ${closest(name, known)}`;
}

type Refuse = (kind: FieldFault["kind"], expected: string) => undefined;

function readInteger(
  { range }: Extract<Field, { kind: "integer" }>,
  value: unknown,
  refuse: Refuse,
): number | undefined {
  const isNumeric = typeof value === "number" || (typeof value === "string" && /^-?\d{1,20}$/.test(value));
  const number = isNumeric ? Number(value) : Number.NaN;
  if (!Number.isInteger(number)) return refuse("type", "a whole number");
  return isWithin(number, range) ? number : refuse("range", describeRange(range));
}

function readDuration(
  { range, isWholeSeconds }: Extract<Field, { kind: "duration" }>,
  value: unknown,
  refuse: Refuse,
): string | undefined {
  const ms = typeof value === "string" ? parseDurationMs(value) : undefined;
  if (ms === undefined) return refuse("type", "a duration such as 5s");
  if (!isDurationWithin(ms, range)) return refuse("range", describeDurationRange(range));
  if (isWholeSeconds === true && ms % 1_000 !== 0) return refuse("range", "a duration of whole seconds");
  return protobufDuration(ms);
}

function readMap(
  of: Field,
  value: Readonly<Record<string, unknown>>,
  path: string,
  faults: FieldFault[],
): Readonly<Record<string, unknown>> {
  const entries = Object.entries(value).flatMap(([key, entry]) => {
    // Protobuf's JSON wants text; YAML makes numbers and booleans of what was meant as such.
    const isScalar = typeof entry === "number" || typeof entry === "boolean";
    const entryPath = `${path}.${key}`;
    if (entry === null || entry === undefined)
      faults.push({ path: entryPath, kind: "type", message: "null is not a value" });
    const read = readField(of, of.kind === "text" && isScalar ? String(entry) : entry, entryPath, faults);
    return read === undefined ? [] : [[key, read] as const];
  });
  return Object.fromEntries(entries);
}

/** Undefined when it is none. */
function normalAddress(value: string): string | undefined {
  const at = parseHostPort(value);
  return at === undefined ? undefined : formatHostPort(at);
}
