/** What is counted over all scrapes. Names that begin with `istio_agent_` are pilot-agent's. */
import type { Metrics } from "../telemetry/metrics.ts";
import { type DropReason, type Tally } from "./merge/tally.ts";
import type { FailureCode } from "./source/failure.ts";
import type { Source } from "./source/open-source.ts";

/** Told of scrapes and of what became of each source. */
export interface ScrapeMetrics {
  scraped(): void;
  refused(): void;
  /** @param failure undefined for a source that is whole */
  merged(source: Pick<Source, "name" | "type">, tally: Tally, failure: FailureCode | undefined): void;
}

/** @param metrics of pilot-agent's prefix */
export function scrapeMetrics(metrics: Metrics): ScrapeMetrics {
  const own = metrics.withPrefix("outrider_");
  const scrapes = metrics.counter("scrapes_total", "Scrapes of the merged metrics.");
  const failures = metrics.counter(
    "scrape_failures_total",
    "Sources that gave nothing, or not all of it, by kind.",
    ["type"],
  );
  const reasons = own.counter(
    "scrape_failures_total",
    "Sources that gave nothing, or not all of it, by source and reason.",
    ["source", "reason"],
  );
  const dropped = own.counter(
    "scrape_dropped_samples_total",
    "Samples that were left out of the merged metrics, and lines that are none.",
    ["source", "reason"],
  );
  const conflicts = own.counter(
    "scrape_conflicts_total",
    "Families that two sources have and that could not be written as both want it.",
    ["source", "kind"],
  );
  const refused = own.counter(
    "scrapes_refused_total",
    "Scrapes that were refused because too many were at work.",
  );
  return {
    scraped: () => {
      scrapes.inc();
    },
    refused: () => {
      refused.inc();
    },
    merged: ({ name: source, type }, tally, failure) => {
      if (failure !== undefined) {
        failures.inc({ type });
        reasons.inc({ source, reason: failure });
      }
      for (const [reason, count] of tally.dropped)
        dropped.inc({ source, reason: reason satisfies DropReason }, count);
      for (const [kind, count] of tally.conflicts) conflicts.inc({ source, kind }, count);
    },
  };
}
