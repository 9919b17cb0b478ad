/**
 * The log of a command that runs for long.
 */
import { ConfigError } from "../schema/config-problem.ts";
import type { LogConfig } from "../config/decide/log-options.ts";
import { createLogger, type Logger } from "../telemetry/log.ts";
import { Journal } from "../telemetry/journal.ts";
import type { Redactor } from "../telemetry/redactor.ts";
import { LogTarget, LogTargetError } from "../telemetry/log-target.ts";
import type { StandardStreams } from "../telemetry/standard-streams.ts";

/** A log, and a way to open its files again after they were moved away. */
export interface OpenLog {
  readonly log: Logger;
  /** The last lines of it, redacted as little as `log` is given them. */
  readonly journal: Journal;
  /** What went wrong, one line each. */
  readonly reopen: () => readonly string[];
  /** Lines that each target has lost so far, as nobody took them in time. */
  readonly lost: () => readonly (readonly [target: string, lines: number])[];
}

/** @param redactor takes the secrets out of each line @throws ConfigError for files that cannot be opened */
export function openLog(
  { targets, ...options }: LogConfig,
  standard: StandardStreams,
  redactor: Redactor,
): OpenLog {
  const onLoss = (name: string, lines: number): void => {
    log.warn("lines were lost, as nobody took them in time", { target: name, lines });
  };
  const target = openTarget(targets, standard, onLoss);
  const journal = new Journal((text) => redactor.known(text));
  const log = createLogger({
    ...options,
    write: (line) => {
      target.write(redactor.known(line));
    },
    keep: (record) => {
      journal.add(record);
    },
    now: () => new Date(),
  });
  standard.onLoss(onLoss);
  return { log, journal, reopen: () => target.reopen(), lost: () => [...standard.lost(), ...target.lost()] };
}

function openTarget(
  targets: readonly string[],
  standard: StandardStreams,
  onLoss: (name: string, lines: number) => void,
): LogTarget {
  try {
    return new LogTarget(targets, standard, onLoss);
  } catch (error) {
    if (!(error instanceof LogTargetError)) throw error;
    throw new ConfigError(
      error.problems.map((problem) => ({
        source: "--log_target",
        path: "",
        message: `${problem}. Name stdout, stderr or a file that this user may write`,
      })),
    );
  }
}
