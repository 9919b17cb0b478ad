/**
 * What proxies, control planes and files say, as it may be printed: names and reasons come from workloads, and what moves a
 * terminal's cursor, or begins a line of its own, could show an operator what is not so. Pure.
 */
import type { Command, CommandContext } from "../command/command.ts";

/** Control characters but for the tab, what turns the direction of text, and what other programs take for the end of a line. */
const unprintable = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu;

/** Such characters in JSON's notation. */
export function visible(text: string): string {
  return text.replace(unprintable, (sign) =>
    sign === "\t" ? sign : `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The same command, which prints each line with such characters made visible. */
export function visibly(command: Command): Command {
  const through = ({ print, printError, ...context }: CommandContext): CommandContext => ({
    ...context,
    print: (line) => {
      print(visible(line));
    },
    printError: (line) => {
      printError(visible(line));
    },
  });
  return { ...command, run: (args, context) => command.run(args, through(context)) };
}
