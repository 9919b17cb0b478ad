/**
 * The agent's own log: its files are opened again after they were moved away, as logrotate expects it of whoever gets
 * SIGUSR1, and what it has lost is counted.
 */
import { errorMessage } from "../lifecycle/error-message.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Journal } from "../telemetry/journal.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** The agent's own log. */
export interface OwnLog {
  readonly log: Logger;
  /** The last lines of it. */
  readonly journal: Journal;
  /** Open its files again. Returns what went wrong. */
  readonly reopenLog: () => readonly string[];
  /** Lines that each target has lost so far, as nobody took them in time. */
  readonly lostLines: () => readonly (readonly [target: string, lines: number])[];
}

/** Open the log files again at each request, Envoy's too, until `signal` aborts. */
export async function followReopenRequests(
  { log, reopenLog }: Pick<OwnLog, "log" | "reopenLog">,
  requests: ReadonlyWatch<number>,
  envoy: { reopenLogs(): Promise<void> } | undefined,
  signal: AbortSignal,
): Promise<void> {
  for await (const count of requests.changes(signal)) {
    if (count === 0) continue;
    // A file that cannot be opened is said in those that can; the log goes on where it was.
    for (const reason of reopenLog()) log.warn("the log stays in the file that it was in", { reason });
    log.info("reopening log files requested", { requests: count });
    await envoy?.reopenLogs().catch((error: unknown) => {
      log.warn("Envoy was not asked to reopen its log files", { reason: errorMessage(error) });
    });
  }
}

/** Lines that were lost, as a metric. */
export function registerLogMetrics(metrics: Metrics, { lostLines }: Pick<OwnLog, "lostLines">): void {
  metrics
    .withPrefix("outrider_")
    .computedCounters(
      "log_lines_lost_total",
      "Lines of the agent's and Envoy's logs that were lost, as nobody took them in time.",
      ["target"],
      () => lostLines().map(([target, lines]) => [{ target }, lines] as const),
    );
}
