/**
 * From argv to a command: a plain call is read by yargs' parser alone, all else by yargs.
 *
 * yargs costs 6 MiB and 20 ms, which no agent has to pay for a command line without mistakes.
 */
import parser from "yargs-parser";
import { parserConfiguration, toArguments } from "./arguments.ts";
import { acceptedFlags, type Program } from "./command.ts";
import type { Invocation } from "./parse.ts";
import { valueProblems, withPlainBooleans } from "./flag-values.ts";

/** Read argv (without the interpreter and the script). Never exits, never prints. */
export async function readCommandLine(argv: readonly string[], program: Program): Promise<Invocation> {
  return readPlainCall(argv, program) ?? (await import("./parse.ts")).parseCommandLine(argv, program);
}

/** A call of a known command with flags that it knows; undefined when yargs has to say what is wrong, or help. */
export function readPlainCall(
  argv: readonly string[],
  program: Pick<Program, "commands" | "commonFlags">,
): Invocation | undefined {
  const [name, ...rest] = argv;
  const command = program.commands.find((candidate) => candidate.name === name);
  if (command === undefined) return undefined;
  if (rest.some((word) => word === "--" || /^(-h$|--?(help|version|get-yargs))/.test(word))) return undefined;
  const [, positional] = /^\[(\w+)\]$/.exec(command.usage ?? "") ?? [];
  if (command.usage !== undefined && positional === undefined) return undefined;

  const accepted = acceptedFlags(program, command);
  const given = withPlainBooleans(rest, accepted);
  const named = (type: string): string[] =>
    Object.keys(accepted).filter((flag) => accepted[flag]?.type === type);
  const { argv: parsed, error } = parser.detailed([...given], {
    string: named("string"),
    number: named("number"),
    boolean: named("boolean"),
    array: Object.keys(accepted).filter((flag) => accepted[flag]?.array === true),
    alias: Object.fromEntries(
      Object.entries(accepted).flatMap(([flag, { alias }]) => (alias === undefined ? [] : [[flag, alias]])),
    ),
    default: Object.fromEntries(
      Object.entries(accepted).flatMap(([flag, { default: value }]) =>
        value === undefined ? [] : [[flag, value]],
      ),
    ),
    configuration: parserConfiguration,
  });
  const { _: words, ...flags } = parsed;
  const aliases = Object.values(accepted).map(({ alias }) => alias);
  const hasUnknown = Object.keys(flags).some(
    (flag) => !Object.hasOwn(accepted, flag) && !aliases.includes(flag),
  );
  if (valueProblems(given, parsed, accepted).length > 0) return undefined;
  if (error !== null || words.length > (positional === undefined ? 0 : 1)) return undefined;
  if (hasUnknown && command.allowUnknown !== true) return undefined;
  const values = positional === undefined ? flags : { ...flags, [positional]: words[0] };
  return { kind: "run", command, args: toArguments(values, command, accepted, { argv, passedOn: [] }) };
}
