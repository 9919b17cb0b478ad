/**
 * A setting is one row: its type, default, bounds, description, and how a text of it is read. Command lines, variables
 * and annotations all write texts, so whatever names a setting reads it alike; types, help and documentation follow.
 */
import { parseDurationMs } from "./duration.ts";
import { parseGoBoolean } from "./go-boolean.ts";
import {
  describeDurationRange,
  type DurationRange,
  goDuration,
  type NumberRange,
  outOfRange,
} from "./range.ts";

/** One setting. `T` is what it is once it is read; durations are in milliseconds. */
export interface Setting<T> {
  /** How a command line takes it. */
  readonly type: "string" | "number" | "boolean";
  /** What is in effect where nothing sets it. */
  readonly default: T;
  /** The same as a person would write it; empty where there is nothing to write. */
  readonly defaultText: string;
  /** One sentence for help and documentation. */
  readonly describe: string;
  /** Undefined for a text that is not of this kind. */
  readonly parse: (text: string) => T | undefined;
  /** For a setting that may be given several times: reads all of them instead. */
  readonly parseAll?: (texts: readonly string[]) => T;
  /** What a value looks like, to stand after "is not". */
  readonly kind: string;
  /** Of a number, or of a duration in milliseconds. */
  readonly range?: NumberRange | DurationRange;
  /** Every text that there is for it, where these are few. */
  readonly values?: readonly string[];
  /** An empty text is a value, and not the same as none. */
  readonly takesEmpty?: boolean;
  /** The release that brought it; undefined for the first. */
  readonly since?: string;
}

/** Settings by their names. */
export type Settings = Readonly<Record<string, Setting<unknown>>>;

/** What each setting of a table is once it is read. */
export type SettingValues<Rows extends Settings> = {
  readonly [Name in keyof Rows]: Rows[Name] extends Setting<infer T> ? T : never;
};

/** The texts that a source has for a setting; more than one where it is given several times. */
export interface GivenTexts {
  /** `--swapMode`, or a variable's name. */
  readonly source: string;
  readonly texts: readonly string[];
}

/** Told of a text that is not taken. */
export type Refuse = (
  setting: Setting<unknown>,
  source: string,
  text: string,
  reading: Exclude<Reading<unknown>, { kind: "read" }>,
) => void;

/**
 * Read a table.
 *
 * @param given what there is for a setting; undefined leaves it at its default, as does a text that is refused
 */
export function readSettings<Rows extends Settings>(
  rows: Rows,
  given: (name: string, setting: Setting<unknown>) => GivenTexts | undefined,
  refuse: Refuse,
): SettingValues<Rows> {
  const entries = Object.entries<Setting<unknown>>(rows).map(([name, setting]) => {
    const found = given(name, setting);
    const last = found?.texts.at(-1);
    if (found === undefined || last === undefined) return [name, setting.default];
    if (setting.parseAll !== undefined) return [name, setting.parseAll(found.texts)];
    const reading = readText(setting, last);
    if (reading.kind === "read") return [name, reading.value];
    refuse(setting, found.source, last, reading);
    return [name, setting.default];
  });
  return Object.fromEntries(entries) as SettingValues<Rows>;
}

/** A text as its setting reads it. */
export type Reading<T> =
  | { readonly kind: "read"; readonly value: T }
  /** It cannot be read, or it is out of range; `expected` stands after "is not". */
  | { readonly kind: "unreadable" | "out-of-range"; readonly expected: string };

/** Read a text. */
export function readText<T>(setting: Setting<T>, text: string): Reading<T> {
  const value = setting.parse(text);
  if (value === undefined) return { kind: "unreadable", expected: expectedOf(setting) };
  const { range } = setting;
  const expected = range === undefined || typeof value !== "number" ? undefined : outOfRange(value, range);
  return expected === undefined ? { kind: "read", value } : { kind: "out-of-range", expected };
}

function expectedOf({ kind, range }: Setting<unknown>): string {
  return range !== undefined && "leastMs" in range ? describeDurationRange(range) : kind;
}

/** Any text. */
export function text(fallback: string, describe: string): Setting<string> {
  return {
    type: "string",
    default: fallback,
    defaultText: fallback,
    describe,
    parse: (value) => value,
    kind: "text",
    takesEmpty: true,
  };
}

/** A text that leaves the decision to something else where there is none, or an empty one. */
export function optionalText(describe: string): Setting<string | undefined> {
  return { ...optional(text("", describe)), takesEmpty: false };
}

/** Texts, one for each time that it is given. */
export function texts(describe: string): Setting<readonly string[]> {
  return {
    type: "string",
    default: [],
    defaultText: "",
    describe,
    parse: (value) => [value],
    parseAll: (values) => values,
    kind: "text",
  };
}

/** True or false, as Go reads them. */
export function flag(fallback: boolean, describe: string): Setting<boolean> {
  return {
    type: "boolean",
    default: fallback,
    defaultText: String(fallback),
    describe,
    parse: parseGoBoolean,
    kind: "true or false",
  };
}

/** Unset is a third state: it leaves the decision to something else. */
export function optionalFlag(describe: string): Setting<boolean | undefined> {
  return optional(flag(false, describe));
}

/** A whole number. */
export function integer(fallback: number, range: NumberRange, describe: string): Setting<number> {
  return {
    type: "number",
    default: fallback,
    defaultText: String(fallback),
    describe,
    parse: (value) => (/^[+-]?\d+$/.test(value) ? Number(value) : undefined),
    kind: "a whole number",
    range,
  };
}

/** A whole number that leaves the decision to something else where it is not given. */
export function optionalInteger(range: NumberRange, describe: string): Setting<number | undefined> {
  return optional(integer(0, range, describe));
}

/** Any number. */
export function fraction(fallback: number, range: NumberRange, describe: string): Setting<number> {
  return {
    type: "number",
    default: fallback,
    defaultText: String(fallback),
    describe,
    parse: (value) =>
      /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(value) ? Number(value) : undefined,
    kind: "a number",
    range,
  };
}

/** @param fallbackMs in milliseconds */
export function duration(fallbackMs: number, range: DurationRange, describe: string): Setting<number> {
  return {
    type: "string",
    default: fallbackMs,
    defaultText: goDuration(fallbackMs),
    describe,
    parse: parseDurationMs,
    kind: "a duration such as 5s",
    range,
  };
}

/** A duration that leaves the decision to something else where it is not given. */
export function optionalDuration(range: DurationRange, describe: string): Setting<number | undefined> {
  return optional(duration(0, range, describe));
}

/** One of `words`. */
export function choice<const Word extends string>(
  words: readonly Word[],
  fallback: NoInfer<Word>,
  describe: string,
): Setting<Word> {
  return {
    type: "string",
    default: fallback,
    defaultText: fallback,
    describe,
    parse: (value) => words.find((word) => word === value),
    kind: `one of ${words.join(", ")}`,
    values: words,
  };
}

function optional<T>(setting: Setting<T>): Setting<T | undefined> {
  return { ...setting, default: undefined, defaultText: "" };
}
