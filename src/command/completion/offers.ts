/**
 * What a shell may offer, in the same form for each of them.
 */
import { acceptedFlags, type Command, type Flag, type Program } from "../command.ts";

/** A flag as shells see it. */
export interface OfferedFlag {
  readonly name: string;
  readonly alias: string | undefined;
  readonly describe: string;
  /** True where the next word is its value. */
  readonly takesValue: boolean;
  /** What the value may be; none where anything may, a file among others. */
  readonly values: readonly string[];
  /** Words of the program that print what the value may be now; empty where none does. */
  readonly valuesFrom: string;
}

/** A command as shells see it. */
export interface OfferedCommand {
  readonly name: string;
  readonly describe: string;
  readonly flags: readonly OfferedFlag[];
  /** What its first, second… word may be; none where anything may. */
  readonly words: readonly (readonly string[])[];
}

/** Every command, in the order of help, then those with other names. */
export function offersOf(program: Program): readonly OfferedCommand[] {
  const commands = program.commands.map((command): OfferedCommand => ({
    name: command.name,
    describe: command.summary,
    flags: [
      ...Object.entries(acceptedFlags(program, command)).map(([name, flag]) => offered(name, flag)),
      offered("help", { type: "boolean", alias: "h", describe: "What it does." }),
      offered("help-all", { type: "boolean", describe: "The same in full." }),
    ],
    words: wordsOf(command, program),
  }));
  const others = Object.entries(program.otherNames ?? {}).flatMap(([name, meant]) =>
    commands.filter((command) => command.name === meant).map((command) => ({ ...command, name })),
  );
  return [...commands, ...others];
}

function offered(name: string, { type, describe, alias, values = [], valuesFrom = "" }: Flag): OfferedFlag {
  // A sentence is enough beside a list.
  const [sentence = describe] = describe.split(/(?<=\w)[.:;] /);
  return { name, alias, describe: sentence, takesValue: type !== "boolean", values, valuesFrom };
}

function wordsOf({ usage = "", wordValues = {} }: Command, program: Program): readonly (readonly string[])[] {
  return [...usage.matchAll(/[[<](\w+)/g)].map(([, word = ""]) =>
    word === "command" ? program.commands.map(({ name }) => name) : (wordValues[word] ?? []),
  );
}
