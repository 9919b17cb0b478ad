/**
 * The metrics of Wasm modules. All but the retries are Istio's.
 */
import type { CounterMetric, HistogramMetric, Metrics } from "../telemetry/metrics.ts";
import type { FetchFailure } from "./fetch-error.ts";
import type { BrokenResult } from "./plugin.ts";

/** Istio's buckets, in milliseconds. */
const durationBuckets = Array.from({ length: 15 }, (_, exponent) => 2 ** exponent);

/** Counts. */
export class WasmMetrics {
  readonly #lookups: CounterMetric;
  readonly #fetches: CounterMetric;
  readonly #retries: CounterMetric;
  readonly #conversions: CounterMetric;
  readonly #duration: HistogramMetric;

  /** @param entries modules that are kept now */
  constructor(metrics: Metrics, entries: () => number) {
    metrics.computed("wasm_cache_entries", "Wasm modules on disk.", {}, entries);
    this.#lookups = metrics.counter("wasm_cache_lookup_count", "Looks for a Wasm module on disk.", ["hit"]);
    this.#fetches = metrics.counter("wasm_remote_fetch_count", "Fetches of Wasm modules by result.", [
      "result",
    ]);
    this.#retries = metrics.counter(
      "wasm_remote_fetch_retries_total",
      "Requests for Wasm modules that failed and were made again.",
    );
    this.#conversions = metrics.counter(
      "wasm_config_conversion_count",
      "Extension configurations with a Wasm filter by what became of them.",
      ["result"],
    );
    this.#duration = metrics.histogram(
      "wasm_config_conversion_duration",
      "From an extension configuration to what Envoy gets of it, in milliseconds.",
      durationBuckets,
    );
  }

  lookedUp(hit: boolean): void {
    this.#lookups.inc({ hit: String(hit) });
  }

  fetched(result: FetchFailure | "success"): void {
    this.#fetches.inc({ result });
  }

  retried(): void {
    this.#retries.inc();
  }

  converted(result: BrokenResult | "success" | "no_remote_load" | "fetch_failure", durationMs: number): void {
    this.#conversions.inc({ result });
    this.#duration.observe(durationMs);
  }
}
