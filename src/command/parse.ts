/**
 * From argv to a command and its arguments, the only user of yargs.
 */
import { unusableCode } from "./exit-codes.ts";
import yargs from "yargs";
import { parserConfiguration, toArguments } from "./arguments.ts";
import { acceptedFlags, type Arguments, type Command, type Program } from "./command.ts";
import { valueProblems, withPlainBooleans } from "./flag-values.ts";

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
  const { commands, commonFlags } = program;
  const end = commandLine.indexOf("--");
  const given = end < 0 ? commandLine : commandLine.slice(0, end);
  const command = commands.find(({ name }) => given.includes(name));
  const argv = command === undefined ? given : withPlainBooleans(given, acceptedFlags(program, command));
  const passedOn = end < 0 ? [] : commandLine.slice(end + 1);
  let invocation: Invocation | undefined;
  let output = "";
  let failure: string | undefined;
  const parser = yargs([])
    .scriptName(program.name)
    .usage(`$0 <command>\n\n${program.describe}`)
    .version(program.version)
    .help()
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
        const hidden = Object.entries(commonFlags).map(([name, flag]) => [name, { ...flag, hidden: true }]);
        builder.options({ ...Object.fromEntries(hidden), ...command.flags }).version(false);
        for (const [, name = ""] of command.usage?.matchAll(/[[<](\w+)/g) ?? []) {
          builder.positional(name, { type: "string" });
        }
        if (command.passesOn !== undefined) {
          builder.usage(`$0 ${usage} [flags] -- ${command.passesOn}\n\n${command.describe}`);
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
  await parser.parseAsync([...argv], {}, (_error: unknown, _argv: unknown, text: string) => {
    output = text;
  });
  if (failure !== undefined) {
    const known = commands.find(({ name }) => name === argv[0]);
    const help = known === undefined ? `${program.name} --help` : `${program.name} ${known.name} --help`;
    return { kind: "print", text: `${failure}\nSee ${help}.`, code: unusableCode };
  }
  return invocation ?? { kind: "print", text: output, code: 0 };
}
