/** What is counted of the export itself. */
import type { CounterMetric, Metrics } from "../telemetry/metrics.ts";

const signals = ["traces", "metrics"] as const;

/** What becomes of an export; `skipped` in the pause after a failure, or at the end. */
const results = ["delivered", "failed", "skipped"] as const;

/** What is exported. */
export type Signal = (typeof signals)[number];

/** What becomes of it. */
export type ExportResult = (typeof results)[number];

/** Exports by `signal` and `result`. @param metrics of the prefix `outrider_` */
export function exportCounter(metrics: Metrics): CounterMetric {
  return metrics.counter(
    "otlp_exports_total",
    "Exports of the agent's own telemetry, by signal and by what became of them.",
    ["signal", "result"],
    signals.flatMap((signal) => results.map((result) => ({ signal, result }))),
  );
}
