/**
 * The parser's result as a command reads it.
 */
import type { Arguments, Command, Flag } from "./command.ts";

/** How yargs and its parser read words, so that both read them alike. */
export const parserConfiguration = {
  "camel-case-expansion": false,
  "boolean-negation": false,
  "parse-positional-numbers": false,
  // A word after `--flag value` is none of the flag's.
  "greedy-arrays": false,
} as const;

/** Stands for a word `-` while yargs reads: it takes one for no value. No word of a process has this character. */
export const dashWord = "\0";

/**
 * `parsed` has the flags and words by name, as yargs and its parser name them.
 *
 * @param flags all that the command takes
 * @param line the words that were parsed, and those after `--`, which are nobody's but the command's
 */
export function toArguments(
  parsed: Readonly<Record<string, unknown>>,
  { usage }: Pick<Command, "usage">,
  flags: Readonly<Record<string, Flag>>,
  { argv, passedOn }: { readonly argv: readonly string[]; readonly passedOn: readonly string[] },
): Arguments {
  const value = (name: string): unknown => {
    const found = parsed[name];
    // A scalar flag given twice counts as given last.
    return Array.isArray(found) && flags[name]?.array !== true ? found.at(-1) : found;
  };
  const aliases = Object.values(flags).map(({ alias }) => alias);
  // Whole words of the usage, in its order: the parser tells the word that stands for several first.
  const named = [...(usage ?? "").matchAll(/[[<]([^\]>.]+)/g)].map(([, name = ""]) => name);
  const positional = named.filter((name) => Object.hasOwn(parsed, name));
  const words = positional
    // A word with dots stands for several.
    .flatMap((name) => (usage?.includes(`${name}..`) === true ? parsed[name] : value(name)) ?? [])
    .map(String)
    .map((word) => (word === dashWord ? "-" : word));
  return {
    words: [...words, ...passedOn],
    string: (name) => text(value(name)),
    optionalString: (name) => (value(name) === undefined ? undefined : text(value(name))),
    number: (name) => Number(value(name)),
    optionalNumber: (name) => (value(name) === undefined ? undefined : Number(value(name))),
    boolean: (name) => value(name) === true || value(name) === "true",
    strings: (name) => {
      const found = value(name);
      return (Array.isArray(found) ? found : found === undefined ? [] : [found]).map(String);
    },
    given: (name) => argv.some((word) => word === `--${name}` || word.startsWith(`--${name}=`)),
    unknown: argv.filter((word) => {
      const name = /^--?([^=]+)/.exec(word)?.[1];
      return name !== undefined && !Object.hasOwn(flags, name) && !aliases.includes(name);
    }),
  };
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
