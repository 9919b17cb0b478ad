/**
 * `completion SHELL`: what makes a shell complete a program's commands, flags and values.
 */
import type { Arguments, Command, CommandContext } from "../command.ts";
import type { OfferedCommand } from "./offers.ts";
import { unusableCode } from "../exit-codes.ts";

const shells = ["bash", "zsh", "fish"] as const;

/** Prints a script for the program of that name and ends. */
export function completionOf(program: string): Command {
  return {
    name: "completion",
    usage: "<shell>",
    wordValues: { shell: shells },
    describe:
      `Print completion for bash, zsh or fish. In ~/.bashrc: eval "$(${program} completion bash)"; in ~/.zshrc, after ` +
      `compinit: eval "$(${program} completion zsh)"; for fish: ${program} completion fish > ` +
      `~/.config/fish/completions/${program}.fish`,
    summary: "Completion for bash, zsh or fish",
    exitCodes: [{ code: 0, meaning: "it was printed" }],
    flags: {},
    run: printCompletion,
  };
}

async function printCompletion(
  args: Arguments,
  { program, print, printError }: CommandContext,
): Promise<number> {
  const shell = shells.find((name) => name === args.words[0]);
  if (shell === undefined) {
    printError(`${args.words.join(" ")} is not one of ${shells.join(", ")}`);
    return unusableCode;
  }
  const { offersOf } = await import("./offers.ts");
  print((await generatorOf(shell))(program.name, offersOf(program), program.prefixes ?? []).trimEnd());
  return 0;
}

/** @param prefixes words that may stand before a command */
type Generator = (name: string, commands: readonly OfferedCommand[], prefixes: readonly string[]) => string;

async function generatorOf(shell: (typeof shells)[number]): Promise<Generator> {
  switch (shell) {
    case "bash":
      return (await import("./bash.ts")).bashCompletion;
    case "zsh":
      return (await import("./zsh.ts")).zshCompletion;
    case "fish":
      return (await import("./fish.ts")).fishCompletion;
  }
}
