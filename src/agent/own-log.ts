/**
 * The agent's own log: its files are opened again after they were moved away, as logrotate expects it of whoever gets
 * SIGUSR1, and what it has lost is counted.
 */
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** The agent's own log. */
export interface OwnLog {
  readonly log: Logger;
  /** Open its files again. Returns what went wrong. */
  readonly reopenLog: () => readonly string[];
  /** Lines that each target has lost so far, as nobody took them in time. */
  readonly lostLines: () => readonly (readonly [target: string, lines: number])[];
}

/** A file that cannot be opened is said in those that can; the log goes on where it was. */
export function reopenOwnLog({ log, reopenLog }: OwnLog): void {
  for (const reason of reopenLog()) log.warn("the log stays in the file that it was in", { reason });
}

/** Lines that were lost, as a metric. */
export function registerLogMetrics(metrics: Metrics, { lostLines }: OwnLog): void {
  metrics
    .withPrefix("outrider_")
    .computedCounters(
      "log_lines_lost_total",
      "Lines of the agent's and Envoy's logs that were lost, as nobody took them in time.",
      ["target"],
      () => lostLines().map(([target, lines]) => [{ target }, lines] as const),
    );
}
