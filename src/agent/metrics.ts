/**
 * The agent's own metrics, beside those that each part registers itself.
 */
import type { TaskGroup } from "../lifecycle/task-group.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { type OwnLog, registerLogMetrics } from "./own-log.ts";
import { registerProcessMetrics } from "./process-metrics.ts";
import type { SupervisedEnvoy } from "./supervised-envoy.ts";
import { registerSupervisionMetrics } from "./supervision-metrics.ts";

/** What they are read from. */
export interface MetricSources extends OwnLog {
  /** Of this release. */
  readonly version: string;
  /** What was done as PID 1; undefined in any other process. */
  readonly init: { readonly orphansReaped: number } | undefined;
}

/** @param envoy undefined where none is to run */
export function agentMetrics(
  { version, init, ...ownLog }: MetricSources,
  envoy: Pick<SupervisedEnvoy, "supervisor" | "reloader"> | undefined,
  tasks: TaskGroup,
): Metrics {
  const metrics = new Metrics("istio_agent_");
  registerLogMetrics(metrics, ownLog);
  registerProcessMetrics(metrics, { version, supervisor: envoy?.supervisor, tasks });
  if (envoy !== undefined) registerSupervisionMetrics(metrics, envoy);
  if (init !== undefined) {
    metrics.computedCounter(
      "orphans_reaped_total",
      "Orphaned processes whose exit code was collected as PID 1.",
      () => init.orphansReaped,
    );
  }
  return metrics;
}
