/**
 * The log of a command that runs for long.
 */
import { ConfigError } from "../config/config-problem.ts";
import type { LogConfig } from "../config/log-options.ts";
import { createLogger, type Logger } from "../telemetry/log.ts";
import { LogTarget, LogTargetError } from "../telemetry/log-target.ts";

/** A log, and a way to open its files again after they were moved away. */
export interface OpenLog {
  readonly log: Logger;
  /** What went wrong, one line each. */
  readonly reopen: () => readonly string[];
}

/** @throws ConfigError for files that cannot be opened */
export function openLog({ targets, ...options }: LogConfig): OpenLog {
  const target = openTarget(targets);
  return {
    log: createLogger({
      ...options,
      write: (line) => {
        target.write(line);
      },
      now: () => new Date(),
    }),
    reopen: () => target.reopen(),
  };
}

function openTarget(targets: readonly string[]): LogTarget {
  try {
    return new LogTarget(targets);
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
