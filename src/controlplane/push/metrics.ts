/**
 * What the control plane counts, under Istio's names.
 */
import type { CounterMetric, Metrics } from "../../telemetry/metrics.ts";
import type { ConnectionTable } from "./status.ts";

/** Counters of pushes. */
export interface PushMetrics {
  readonly pushes: CounterMetric;
  readonly rejects: CounterMetric;
  readonly internalErrors: CounterMetric;
}

/** Register them. */
export function createPushMetrics(metrics: Metrics, connections: ConnectionTable): PushMetrics {
  metrics.computed("xds", "Connected proxies.", {}, () => connections.list().length);
  return {
    pushes: metrics.counter("xds_pushes", "Responses sent.", ["type"]),
    internalErrors: metrics.counter(
      "total_xds_internal_errors",
      "Parts of a proxy's configuration that could not be sent.",
    ),
    rejects: metrics.counter("total_xds_rejects", "Responses that a proxy refused.", ["type"]),
  };
}
