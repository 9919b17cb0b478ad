/**
 * Values of ProxyConfig fields: read by the rules of protobuf's JSON, and brought into one form.
 *
 * A value of the wrong type makes its source unusable; one that is only out of range counts where nothing stronger
 * replaces it.
 */
import { closest } from "fastest-levenshtein";
import { parseDurationMs, protobufDuration } from "./duration.ts";
import type { Field } from "./proxy-config-schema.ts";

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
    faults.push({ path, kind, message: `${JSON.stringify(value) ?? "nothing"} is not ${expected}` });
    return undefined;
  };
  if (value === null || value === undefined) return undefined;
  switch (field.kind) {
    case "text":
      return typeof value === "string" ? value : refuse("type", "text");
    case "flag":
      return typeof value === "boolean" ? value : refuse("type", "true or false");
    case "number":
      return typeof value === "number" && Number.isFinite(value) ? value : refuse("type", "a number");
    case "integer":
      return readInteger(field, value, refuse);
    case "duration":
      return readDuration(field, value, refuse);
    case "address":
      if (typeof value !== "string") return refuse("type", "text");
      return isAddress(value)
        ? value
        : refuse("range", "host:port, such as istiod.istio-system.svc:15012 or [fd00::1]:15012");
    case "choice": {
      const name = typeof value === "number" ? field.names[value] : value;
      return typeof name === "string" && field.names.includes(name)
        ? name
        : refuse("type", `one of ${field.names.join(", ")}`);
    }
    case "map":
      return readMap(value, path, faults) ?? refuse("type", "a mapping of names to text");
    case "list":
      if (!Array.isArray(value)) return refuse("type", "a list");
      return value
        .map((item, index) => readField(field.of, item, `${path}[${index}]`, faults))
        .filter((item) => item !== undefined);
    case "message":
      if (!isMapping(value)) return refuse("type", "a mapping of fields");
      return readFields(field.fields, value, path, faults);
    case "any":
      return value;
  }
}

/** The fields of a message; an unknown one is passed over, with what may have been meant. */
export function readFields(
  fields: Readonly<Record<string, Field>>,
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
        message: `is not a known field; the nearest is ${closest(name, Object.keys(fields))}`,
      });
      continue;
    }
    const result = readField(field, entry, entryPath, faults);
    if (result !== undefined) read[name] = result;
  }
  return read;
}

type Refuse = (kind: FieldFault["kind"], expected: string) => undefined;

function readInteger(
  { least, most }: Extract<Field, { kind: "integer" }>,
  value: unknown,
  refuse: Refuse,
): number | undefined {
  const isNumeric = typeof value === "number" || (typeof value === "string" && /^-?\d{1,20}$/.test(value));
  const number = isNumeric ? Number(value) : Number.NaN;
  if (!Number.isInteger(number)) return refuse("type", "a whole number");
  if (number >= least && number <= most) return number;
  return refuse("range", most === 65_535 ? `a port from ${least} to ${most}` : `from ${least} to ${most}`);
}

function readDuration(
  { leastMs, isWholeSeconds }: Extract<Field, { kind: "duration" }>,
  value: unknown,
  refuse: Refuse,
): string | undefined {
  const ms = typeof value === "string" ? parseDurationMs(value) : undefined;
  // The largest that protobuf can hold: 10,000 years.
  if (ms === undefined || Math.abs(ms) > 315_576_000_000_000) return refuse("type", "a duration such as 5s");
  if (ms < leastMs) {
    return refuse(
      "range",
      leastMs === 0 ? "a duration from 0s on" : `a duration of at least ${leastMs} ms, such as 45s`,
    );
  }
  if (isWholeSeconds === true && ms % 1_000 !== 0) return refuse("range", "a duration of whole seconds");
  return protobufDuration(ms);
}

function readMap(
  value: unknown,
  path: string,
  faults: FieldFault[],
): Readonly<Record<string, string>> | undefined {
  if (!isMapping(value)) return undefined;
  const entries = Object.entries(value).flatMap(([key, entry]) => {
    // Protobuf's JSON wants text; YAML makes numbers and booleans of what was meant as such.
    if (typeof entry === "string" || typeof entry === "number" || typeof entry === "boolean")
      return [[key, String(entry)] as const];
    faults.push({
      path: `${path}.${key}`,
      kind: "type",
      message: `${JSON.stringify(entry)} is not text`,
    });
    return [];
  });
  return Object.fromEntries(entries);
}

/** True for host:port. An IPv6 host needs brackets: without them nobody can tell where the port begins. */
function isAddress(text: string): boolean {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^[\]:/\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  return port >= 1 && port <= 65_535;
}

/** True for a mapping of names to values. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
