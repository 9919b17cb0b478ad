/**
 * Commands as data: help, parsing and the README's tables derive from the same object.
 */
import type { HangupMeaning } from "../init/signals.ts";
import type { InitReport } from "../init/pid1.ts";
import type { DurationRange, NumberRange } from "../schema/range.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import type { StandardStreams } from "../telemetry/standard-streams.ts";

/** One flag. */
export interface Flag {
  readonly type: "string" | "number" | "boolean";
  readonly describe: string;
  readonly default?: string | number | boolean;
  readonly array?: boolean;
  /** Of a whole number, or of text that is a duration in Go's notation. */
  readonly range?: NumberRange | DurationRange;
  /** Other names by which it can be set: a variable, an annotation. */
  readonly also?: readonly string[];
  /** One letter that stands for it. */
  readonly alias?: string;
  /** Every text that it may have, where these are few: completion and help offer them. */
  readonly values?: readonly string[];
  /** Words of the same program that print what it may be now, one a line: completion asks, where `values` are not known before. */
  readonly valuesFrom?: string;
}

/** What a command ends with. */
export interface ExitCode {
  /** A number, or what stands for one: "128 + signal". */
  readonly code: number | string;
  readonly meaning: string;
}

/** Values of the flags and words of one call. */
export interface Arguments {
  /** Words that are not flags, the command's own name left out; those after `--` come last, untouched. */
  readonly words: readonly string[];
  string(name: string): string;
  optionalString(name: string): string | undefined;
  number(name: string): number;
  optionalNumber(name: string): number | undefined;
  boolean(name: string): boolean;
  strings(name: string): readonly string[];
  /** True when the flag was given on the command line. */
  given(name: string): boolean;
  /** Flags that the command does not know, as they were written. */
  readonly unknown: readonly string[];
}

/** A terminal to draw on. */
export interface Terminal {
  readonly columns: () => number;
  readonly rows: () => number;
  readonly write: (text: string) => void;
  /** Told of each key, as the terminal sends it, until disposed; the key that interrupts still does. */
  readonly keys: (listener: (key: string) => void) => Disposable;
}

/** What a command gets from the process. */
export interface CommandContext {
  /** What the command is one of. */
  readonly program: Program;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** How to run this program again: the interpreter and the words before the command. */
  readonly self: { readonly file: string; readonly args: readonly string[] };
  /** Folder of the release's bootstrap templates. */
  readonly templates: string;
  /** Folder of the release's manifests for Kubernetes. */
  readonly manifests: string;
  /** The terminal, where standard output is one. */
  readonly terminal: Terminal | undefined;
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
  /** Standard output and standard error for what must not be held up by their readers. */
  readonly standard: StandardStreams;
  /** Aborts on the first request to stop. Its reason names the signal. */
  readonly shutdown: AbortSignal;
  /** Aborts on the second one. */
  readonly hurry: AbortSignal;
  /** How often a reload was asked for (SIGHUP); a burst wakes a reader once. */
  readonly reloadRequests: ReadonlyWatch<number>;
  /** How often it was asked to reopen log files (SIGUSR1); a burst wakes a reader once. */
  readonly reopenLogsRequests: ReadonlyWatch<number>;
  /** How often a child has ended, was stopped or goes on (SIGCHLD); a burst wakes a reader once. */
  readonly childChanges: ReadonlyWatch<number>;
  /** Undefined when this process is not PID 1. */
  readonly init: InitReport | undefined;
  /** For a command that runs another program: every signal goes to `listener` from now on, and none to the two above. */
  readonly passSignalsTo: (listener: (name: NodeJS.Signals) => void) => void;
}

/** A command of the CLI. `run` resolves to the exit code. */
export interface Command {
  readonly name: string;
  /** Words after the name, as help prints them: `<needed>`, `[optional]`, `[several..]`. */
  readonly usage?: string;
  /** What stands after `--`, for a command that runs another program. */
  readonly passesOn?: string;
  readonly describe: string;
  /** `describe` in at most 52 characters, for the list of commands. */
  readonly summary: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** Flags that are wanted most, which short help shows first. */
  readonly mainFlags?: readonly string[];
  /** Values of the words of `usage` by their names, where these are few. */
  readonly wordValues?: Readonly<Record<string, readonly string[]>>;
  /** All that it ends with, but for a wrong command line, which is the same for all. */
  readonly exitCodes: readonly ExitCode[];
  /** It writes a log, so what ends it is a line of that. */
  readonly hasLog?: boolean;
  /** What SIGHUP means to it; to stop, unless told. */
  readonly hangup?: HangupMeaning;
  /** Unknown flags are kept in `Arguments.unknown` instead of refused. */
  readonly allowUnknown?: boolean;
  run(args: Arguments, context: CommandContext): Promise<number>;
}

/** Commands that are read together. */
export interface CommandGroup {
  /** At most 9 characters. */
  readonly title: string;
  readonly commands: readonly string[];
}

/** A program of several commands. */
export interface Program {
  /** The word that it is called by. */
  readonly name: string;
  readonly describe: string;
  readonly version: string;
  /** In the order in which help lists them. */
  readonly commands: readonly Command[];
  /** What the commands are about, and their names; one that is in no group is in the whole list only. */
  readonly groups: readonly CommandGroup[];
  /** Flags that every command takes, and help lists with none. */
  readonly commonFlags: Readonly<Record<string, Flag>>;
  /** Other names of commands, which shells complete as well. */
  readonly otherNames?: Readonly<Record<string, string>>;
  /** Words that may stand before a command and say nothing. */
  readonly prefixes?: readonly string[];
}

/** From so many flags on it spares a reader something to be told of another command's. */
const manyFlags = 20;

/** The command before it all of whose many flags `command` takes too, so that pages name it instead of them. */
export function baseOf(command: Command, commands: readonly Command[]): Command | undefined {
  const at = commands.findIndex(({ name }) => name === command.name);
  return commands.slice(0, Math.max(0, at)).find((other) => {
    const flags = Object.entries(other.flags);
    return flags.length >= manyFlags && flags.every(([name, flag]) => command.flags[name] === flag);
  });
}

/** Flags of a command that are not its base's. */
export function ownFlagsOf(
  command: Command,
  base: Command | undefined,
): readonly (readonly [name: string, flag: Flag])[] {
  return Object.entries(command.flags).filter(([name, flag]) => base?.flags[name] !== flag);
}

/** Every flag that a call of the command may have, those included that help does not list. */
export function acceptedFlags(
  { commonFlags }: Pick<Program, "commonFlags">,
  { flags }: Pick<Command, "flags">,
): Readonly<Record<string, Flag>> {
  return { ...commonFlags, ...flags };
}
