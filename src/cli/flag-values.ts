/**
 * Words of a command line as pilot-agent's parser takes them, and what it refuses.
 */
import { parseGoBoolean } from "../config/go-boolean.ts";
import type { Flag } from "./command.ts";

/** Flags by name. */
type Flags = Readonly<Record<string, Flag>>;

/** The words with `--flag=T` of boolean flags written as `--flag=true`; a value that is neither is left as it is. */
export function withPlainBooleans(words: readonly string[], flags: Flags): readonly string[] {
  return words.map((word) => {
    const { name, value } = assignment(word) ?? {};
    if (name === undefined || !Object.hasOwn(flags, name) || flags[name]?.type !== "boolean") return word;
    const isOn = parseGoBoolean(value ?? "");
    return isOn === undefined ? word : `--${name}=${isOn}`;
  });
}

/** What is wrong with values of flags: numbers that are none, and neither true nor false. */
export function valueProblems(
  words: readonly string[],
  parsed: Readonly<Record<string, unknown>>,
  flags: Flags,
): readonly string[] {
  const numbers = Object.keys(flags)
    .filter((name) => flags[name]?.type === "number" && [parsed[name]].flat().some(Number.isNaN))
    .map((name) => `--${name} is not a number`);
  const booleans = words.flatMap((word) => {
    const { name, value } = assignment(word) ?? {};
    const isOne = name !== undefined && Object.hasOwn(flags, name) && flags[name]?.type === "boolean";
    return isOne && parseGoBoolean(value ?? "") === undefined
      ? [`--${name}: ${JSON.stringify(value)} is not true or false`]
      : [];
  });
  return [...numbers, ...booleans];
}

function assignment(word: string): { readonly name: string; readonly value: string } | undefined {
  const [, name, value] = /^--([^=]+)=(.*)$/s.exec(word) ?? [];
  return name === undefined || value === undefined ? undefined : { name, value };
}
