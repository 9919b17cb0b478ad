/**
 * The agent's own metrics, beside those that each part registers itself.
 */
import type { EnvoySupervisor } from "../envoy/supervision/supervisor.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { type OwnLog, registerLogMetrics } from "./own-log.ts";
import { registerSupervisionMetrics } from "./supervision-metrics.ts";

/** What they are read from. */
export interface MetricSources extends OwnLog {
  /** What was done as PID 1; undefined in any other process. */
  readonly init: { readonly orphansReaped: number } | undefined;
}

/** @param supervisor undefined without Envoy */
export function agentMetrics(
  { init, ...ownLog }: MetricSources,
  supervisor: EnvoySupervisor | undefined,
): Metrics {
  const metrics = new Metrics("istio_agent_");
  registerLogMetrics(metrics, ownLog);
  if (supervisor !== undefined) registerSupervisionMetrics(metrics, supervisor);
  if (init !== undefined) {
    metrics.computedCounter(
      "orphans_reaped_total",
      "Orphaned processes whose exit code was collected as PID 1.",
      () => init.orphansReaped,
    );
  }
  return metrics;
}
