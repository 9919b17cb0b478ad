/** What is counted of the export itself. */
import type { CounterMetric, Metrics } from "../telemetry/metrics.ts";

const signals = ["traces", "metrics"] as const;

/**
 * What becomes of an export; `partial` where the endpoint took it but for some of what was in it, `skipped` in the pause after a
 * failure, or at the end.
 */
const results = ["delivered", "partial", "failed", "skipped"] as const;

/** What is exported. */
export type Signal = (typeof signals)[number];

/** What becomes of it. */
export type ExportResult = (typeof results)[number];

/** Counters of exports. */
export interface OtlpMetrics {
  /** By `signal` and `result`. */
  readonly exports: CounterMetric;
  /** By `signal`. */
  readonly rejected: CounterMetric;
}

/** @param metrics of the prefix `outrider_` */
export function otlpMetrics(metrics: Metrics): OtlpMetrics {
  return {
    exports: metrics.counter(
      "otlp_exports_total",
      "Exports of the agent's own telemetry, by signal and by what became of them.",
      ["signal", "result"],
      signals.flatMap((signal) => results.map((result) => ({ signal, result }))),
    ),
    rejected: metrics.counter(
      "otlp_rejected_items_total",
      "Spans and data points that the endpoint did not take of exports that it took, by signal.",
      ["signal"],
      signals.map((signal) => ({ signal })),
    ),
  };
}
