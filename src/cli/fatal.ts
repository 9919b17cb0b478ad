/**
 * Why a command with a log ends, as lines of that log: on standard error, and in the log's files where it has some.
 * Whatever was thrown, and whether there is a log yet or not.
 */
import type { Arguments, CommandContext } from "../command/command.ts";
import { flagTexts } from "../command/setting-flags.ts";
import { logConfig } from "../config/decide/log-options.ts";
import { logFlags } from "../config/sources/log-flags.ts";
import { readFlags } from "../schema/flag-texts.ts";
import { type ConfigProblem, describeProblem } from "../schema/config-problem.ts";
import { type FatalEntry, fatalLine } from "../telemetry/log.ts";
import { LogTarget } from "../telemetry/log-target.ts";
import type { Redactor } from "../telemetry/redactor.ts";

/** What is needed of a call. */
export interface FatalContext {
  readonly args: Arguments;
  readonly context: Pick<CommandContext, "standard">;
  readonly redactor: Redactor;
}

/** One line per entry. */
export function tellFatal(entries: readonly FatalEntry[], { args, context, redactor }: FatalContext): void {
  const { json, targets } = logConfig(readFlags(logFlags, flagTexts(args, Object.keys(logFlags)), []), []);
  const lines = entries.map((entry) => redactor.known(fatalLine(entry, json, new Date())));
  const files = targets.filter((target) => target !== "stdout" && target !== "stderr");
  const streams = [context.standard.writer("stderr"), ...openFiles(files, context)];
  for (const line of lines) for (const stream of streams) stream.write(line);
}

/** One entry per problem, below one message. */
export function problemEntries(message: string, problems: readonly ConfigProblem[]): readonly FatalEntry[] {
  return problems.map((problem) => ({
    message,
    fields: {
      source: problem.source,
      ...(problem.path === "" ? {} : { path: problem.path }),
      reason: problem.message,
    },
    text: describeProblem(problem),
  }));
}

/** An entry with one reason. */
export function reasonEntry(message: string, reason: string): FatalEntry {
  return { message, fields: { reason }, text: reason };
}

function openFiles(
  files: readonly string[],
  { standard }: FatalContext["context"],
): readonly { write(line: string): void }[] {
  if (files.length === 0) return [];
  try {
    return [new LogTarget(files, standard, () => undefined)];
  } catch {
    // That they cannot be opened is one of the problems that standard error is told of.
    return [];
  }
}
