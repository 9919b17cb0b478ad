/**
 * Whether the registries answer, and how old what is served of them is: the same numbers for each.
 */
import type { Metrics } from "../../telemetry/metrics.ts";
import type { ConfigSource } from "./source.ts";

/** One registry at one moment. */
export interface SourceHealth {
  /** False while it does not answer. */
  readonly isUp: boolean;
  /** Age of what is served of it, in milliseconds: 0 while it answers. */
  readonly ageMs: number;
  /** Questions without a usable answer so far. */
  readonly failures: number;
}

/** Register the metrics of all sources that have a health. */
export function measureSources(metrics: Metrics, sources: readonly ConfigSource[]): void {
  const healths = function* (): Generator<
    readonly [labels: Readonly<Record<string, string>>, health: SourceHealth]
  > {
    for (const { name, health } of sources) if (health !== undefined) yield [{ registry: name }, health()];
  };
  const valuesOf = (value: (health: SourceHealth) => number) => () =>
    [...healths()].map(([labels, health]) => [labels, value(health)] as const);
  const labels = ["registry"];
  metrics.computedGauges(
    "registry_up",
    "1 while the registry answers.",
    labels,
    valuesOf(({ isUp }) => (isUp ? 1 : 0)),
  );
  metrics.computedGauges(
    "registry_age_seconds",
    "Age of what is served of the registry: 0 while it answers.",
    labels,
    valuesOf(({ ageMs }) => ageMs / 1_000),
  );
  metrics.computedCounters(
    "registry_failures_total",
    "Questions to the registry without a usable answer.",
    labels,
    valuesOf(({ failures }) => failures),
  );
}
