/**
 * Words of a command line as pilot-agent's parser takes them, and what it refuses.
 */
import { parseDurationMs } from "../schema/duration.ts";
import { outOfRange } from "../schema/range.ts";
import { parseGoBoolean } from "../schema/go-boolean.ts";
import type { Flag } from "./command.ts";

/** Flags by name. */
type Flags = Readonly<Record<string, Flag>>;

/** The words with `--flag=T` of boolean flags written as `--flag=true`; a value that is neither is left as it is. */
export function withPlainBooleans(words: readonly string[], flags: Flags): readonly string[] {
  return withPlainDashes(words, flags).map((word) => {
    const { name, value } = assignment(word) ?? {};
    if (name === undefined || !Object.hasOwn(flags, name) || flags[name]?.type !== "boolean") return word;
    const isOn = parseGoBoolean(value ?? "");
    return isOn === undefined ? word : `--${name}=${isOn}`;
  });
}

/** `--output -` and `-o -` written as `--output=-`: the parser takes a dash that stands alone for no value. */
function withPlainDashes(words: readonly string[], flags: Flags): readonly string[] {
  const named = (word: string | undefined): string | undefined => {
    const [, name, letter] = /^(?:--([^=]+)|-([^-=]))$/.exec(word ?? "") ?? [];
    return Object.keys(flags).find(
      (flag) =>
        flags[flag]?.type === "string" &&
        (flag === name || (letter !== undefined && flags[flag].alias === letter)),
    );
  };
  return words.flatMap((word, index) => {
    if (word === "-" && named(words[index - 1]) !== undefined) return [];
    const name = words[index + 1] === "-" ? named(word) : undefined;
    return name === undefined ? [word] : [`--${name}=-`];
  });
}

/** What is wrong with values of flags: numbers that are none, what is out of range, and neither true nor false. */
export function valueProblems(
  words: readonly string[],
  parsed: Readonly<Record<string, unknown>>,
  flags: Flags,
): readonly string[] {
  const measures = Object.entries(flags).flatMap(([name, flag]) =>
    [parsed[name]].flat().flatMap((value) => measureProblem(flag, value)?.replace(/^/, `--${name}`) ?? []),
  );
  const booleans = words.flatMap((word) => {
    const { name, value } = assignment(word) ?? {};
    const isOne = name !== undefined && Object.hasOwn(flags, name) && flags[name]?.type === "boolean";
    return isOne && parseGoBoolean(value ?? "") === undefined
      ? [`--${name}: ${JSON.stringify(value)} is not true or false`]
      : [];
  });
  return [...measures, ...booleans];
}

/** A flag without a value was not given: templates of Istio 1.5 write such. */
function measureProblem({ type, range }: Flag, value: unknown): string | undefined {
  if (typeof value === "number" && Number.isNaN(value)) return " is not a number";
  if (range === undefined || value === "") return undefined;
  if (typeof value !== "number" && typeof value !== "string") return undefined;
  const measure = typeof value === "number" ? value : parseDurationMs(value);
  // What is no duration at all is told of by whoever reads it, with everything else that is wrong.
  if (measure === undefined) return undefined;
  if (type === "number" && !Number.isInteger(value)) return `: ${value} is not a whole number`;
  const expected = outOfRange(measure, range);
  return expected === undefined ? undefined : `: ${value} is not ${expected}`;
}

function assignment(word: string): { readonly name: string; readonly value: string } | undefined {
  const [, name, value] = /^--([^=]+)=(.*)$/s.exec(word) ?? [];
  return name === undefined || value === undefined ? undefined : { name, value };
}
