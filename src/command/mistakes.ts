/**
 * Help where it is asked for, and what to say about a command line that cannot be read. Pure.
 */
import { acceptedFlags, type Command, type Program } from "./command.ts";
import { commandHelp, fullCommandHelp, programHelp } from "./help.ts";
import { nearest } from "./suggest.ts";

/** The text that these words ask for: help, of a command or of all, or the version; undefined when they ask for neither. */
export function helpIn(words: readonly string[], program: Program): string | undefined {
  const [first, second] = words;
  const isFull = words.includes("--help-all");
  const isHelp = isFull || first === "help" || words.some((word) => /^(-h|--help)$/.test(word));
  if (!isHelp) return first === "--version" ? program.version : undefined;
  const named = first === "help" ? second : words.find((word) => !word.startsWith("-"));
  const command = commandOf(named, program);
  if (command === undefined) return programHelp(program, isFull);
  return isFull ? fullCommandHelp(command, program) : commandHelp(command, program);
}

/** What is wrong, what was meant perhaps, and where to read on. @param failure as yargs says it */
export function refusal(failure: string, words: readonly string[], program: Program): string {
  if (words.length === 0) return `${failure}\n\n${programHelp(program)}`;
  const named = words.find((word) => !word.startsWith("-"));
  const command = commandOf(named, program);
  const [, what = "", list = ""] = /^Unknown (command|argument)s?: (.*)$/s.exec(failure) ?? [];
  const unknown = what === "" ? [] : list.split(", ");
  const lines =
    unknown.length === 0
      ? missingWords(failure, command)
      : unknown.map((word) =>
          command === undefined ? unknownCommand(word, program) : unknownWord(word, words, command, program),
        );
  const help = command === undefined ? "--help" : `${command.name} --help`;
  return [...new Set(lines), `See ${program.name} ${help}.`].join("\n");
}

/** A line for each word that is missing, with what it may be where that is few; the failure itself for any other. */
function missingWords(failure: string, command: Command | undefined): readonly string[] {
  const [, list] = /^Missing required arguments?: (.*)$/s.exec(failure) ?? [];
  if (list === undefined) return [failure];
  return list.split(", ").map((word) => {
    const values = command?.wordValues?.[word] ?? [];
    return `Missing required argument: ${word}${values.length === 0 ? "" : `, one of ${values.join(", ")}`}`;
  });
}

function commandOf(name: string | undefined, { commands }: Program): Command | undefined {
  return commands.find((command) => command.name === name);
}

function unknownCommand(word: string, { commands }: Program): string {
  const names = commands.map(({ name }) => name);
  return `Unknown command: ${word}${meant(nearest(word, names))}`;
}

function unknownWord(word: string, words: readonly string[], command: Command, program: Program): string {
  const isFlag = words.some((given) => new RegExp(`^--?${RegExp.escape(word)}(=|$)`, "s").test(given));
  if (!isFlag) return `Unknown argument: ${word}`;
  const flag = nearest(word, Object.keys(acceptedFlags(program, command)));
  return `Unknown flag: ${word.length === 1 ? "-" : "--"}${word}${meant(flag === undefined ? flag : `--${flag}`)}`;
}

function meant(word: string | undefined): string {
  return word === undefined ? "" : `. Did you mean ${word}?`;
}
