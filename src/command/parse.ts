/**
 * From argv to a command and its arguments, the only user of yargs.
 */
import { unusableCode } from "./exit-codes.ts";
import yargs, { type Options } from "yargs";
import { dashWord, parserConfiguration, toArguments } from "./arguments.ts";
import { acceptedFlags, type Arguments, type Command, type Flag, type Program } from "./command.ts";
import { valueProblems, withPlainBooleans } from "./flag-values.ts";
import { helpIn, refusal } from "./mistakes.ts";

/** What argv asks for. */
export type Invocation =
  | { readonly kind: "run"; readonly command: Command; readonly args: Arguments }
  | { readonly kind: "print"; readonly text: string; readonly code: number };

/**
 * Read argv (without the interpreter and the script). Never exits, never prints.
 *
 * What follows `--` is another program's command line: it is handed on as it was written.
 */
export async function parseCommandLine(
  commandLine: readonly string[],
  program: Program,
): Promise<Invocation> {
  const { commands } = program;
  const end = commandLine.indexOf("--");
  const given = end < 0 ? commandLine : commandLine.slice(0, end);
  const asked = helpIn(given, program);
  if (asked !== undefined) return { kind: "print", text: asked, code: 0 };
  const command = commands.find(({ name }) => given.includes(name));
  const plain = command === undefined ? given : withPlainBooleans(given, acceptedFlags(program, command));
  const argv = plain.map((word) => (word === "-" ? dashWord : word));
  const passedOn = end < 0 ? [] : commandLine.slice(end + 1);
  let invocation: Invocation | undefined;
  let failure: string | undefined;
  const parser = yargs([])
    .scriptName(program.name)
    .version(false)
    .help(false)
    .demandCommand(1, "Name a command.")
    .strictCommands()
    .exitProcess(false)
    .parserConfiguration(parserConfiguration)
    .fail((message, error) => {
      failure = message || error.message;
    });
  for (const command of commands) {
    const usage = command.usage === undefined ? command.name : `${command.name} ${command.usage}`;
    parser.command(
      usage,
      command.describe,
      (builder) => {
        builder.options(plainOptions(acceptedFlags(program, command)));
        for (const [, name = ""] of command.usage?.matchAll(/[[<](\w+)/g) ?? []) {
          builder.positional(name, { type: "string" });
        }
        if (command.allowUnknown !== true) builder.strictOptions();
        return builder;
      },
      (parsed) => {
        const accepted = acceptedFlags(program, command);
        const problems = valueProblems(argv, parsed, accepted);
        if (problems.length > 0) failure = problems.join("\n");
        invocation = {
          kind: "run",
          command,
          args: toArguments(parsed, command, accepted, { argv, passedOn }),
        };
      },
    );
  }
  await parser.parseAsync([...argv]);
  if (failure === undefined && invocation !== undefined) return invocation;
  const problem = (failure ?? "Name a command.").replaceAll(dashWord, "-");
  return { kind: "print", text: refusal(problem, plain, program), code: unusableCode };
}

/** yargs checks no values: a problem with one names its flag, and all are told at once. */
function plainOptions(flags: Readonly<Record<string, Flag>>): Readonly<Record<string, Options>> {
  return Object.fromEntries(
    Object.entries(flags).map(([name, { type, default: value, array, alias }]) => [
      name,
      {
        type,
        ...(value === undefined ? {} : { default: value }),
        ...(array === undefined ? {} : { array }),
        ...(alias === undefined ? {} : { alias }),
      },
    ]),
  );
}
