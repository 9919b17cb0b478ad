/**
 * Log files that were moved away are opened again, as logrotate expects it of whoever gets SIGUSR1.
 */
import type { Logger } from "../telemetry/log.ts";

/** The agent's own log. */
export interface ReopenableLog {
  readonly log: Logger;
  /** Open its files again. Returns what went wrong. */
  readonly reopenLog: () => readonly string[];
}

/** A file that cannot be opened is said in those that can; the log goes on where it was. */
export function reopenOwnLog({ log, reopenLog }: ReopenableLog): void {
  for (const reason of reopenLog()) log.warn("the log stays in the file that it was in", { reason });
}
