/**
 * Metrics, the only user of prom-client.
 *
 * Parts ask for counters and gauges by name; the registry prints them in Prometheus' text format 0.0.4.
 */
import {
  Counter,
  Gauge,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from "prom-client";

/** Label values of one sample. */
export type Labels = Readonly<Record<string, string>>;

/** A number that only grows. */
export interface CounterMetric {
  inc(labels?: Labels, by?: number): void;
}

/** A number that comes and goes. */
export interface GaugeMetric {
  set(value: number, labels?: Labels): void;
}

/** A distribution. */
export interface HistogramMetric {
  observe(value: number, labels?: Labels): void;
}

/** One sample. */
export interface MetricSample {
  readonly labels: Labels;
  readonly value: number;
}

/** One distribution. */
export interface HistogramSample {
  readonly labels: Labels;
  /** Upper bounds, ascending, without the last bucket's, which has none. */
  readonly bounds: readonly number[];
  /** How many fell into each bucket: one more than there are bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Everything of one name. */
export type MetricFamily = { readonly name: string; readonly help: string } & (
  | { readonly kind: "counter" | "gauge"; readonly samples: readonly MetricSample[] }
  | { readonly kind: "histogram"; readonly samples: readonly HistogramSample[] }
);

/** The metrics of one process; `prefix` starts every name. */
export class Metrics {
  readonly #registry: Registry;
  readonly #prefix: string;

  constructor(prefix: string, registry: Registry = new Registry()) {
    this.#prefix = prefix;
    this.#registry = registry;
  }

  /** Metrics of another prefix that are rendered together with these. */
  withPrefix(prefix: string): Metrics {
    return new Metrics(prefix, this.#registry);
  }

  /**
   * Counted here and handed to prom-client when it is scraped: its own way takes microseconds for each step.
   *
   * @param known label sets that are there at 0 from the start: what an alert takes `increase()` of has to be, as a
   * series that appears at 1 has not increased for Prometheus
   */
  counter(
    name: string,
    help: string,
    labelNames: readonly string[] = [],
    known: readonly Labels[] = labelNames.length === 0 ? [{}] : [],
  ): CounterMetric {
    const keyOf = (labels: Labels): string => {
      let key = "";
      for (const label of labelNames) key += `${labels[label] ?? ""}\0`;
      return key;
    };
    const samples = new Map<string, [labels: Labels, value: number]>(
      known.map((labels) => [keyOf(labels), [labels, 0]]),
    );
    this.computedCounters(name, help, labelNames, () => samples.values());
    return {
      inc: (labels = {}, by = 1) => {
        const key = keyOf(labels);
        const sample = samples.get(key);
        if (sample === undefined) samples.set(key, [labels, by]);
        else sample[1] += by;
      },
    };
  }

  gauge(name: string, help: string, labelNames: readonly string[] = []): GaugeMetric {
    const metric = new Gauge({ ...this.#describe(name, help, labelNames) });
    return {
      set: (value, labels = {}) => {
        metric.set({ ...labels }, value);
      },
    };
  }

  /** A gauge whose value is computed when it is scraped; undefined leaves it out. */
  computed(name: string, help: string, labels: Labels, value: () => number | undefined): void {
    new Gauge({
      ...this.#describe(name, help, Object.keys(labels)),
      collect() {
        const current = value();
        // A reset would leave a gauge without labels at 0.
        if (current === undefined) this.remove(...Object.values(labels));
        else this.set({ ...labels }, current);
      },
    });
  }

  /** A counter that is kept elsewhere and read when it is scraped. */
  computedCounter(name: string, help: string, value: () => number): void {
    new Counter({
      ...this.#describe(name, help, []),
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  }

  /** Counters that are kept elsewhere, one sample for each of `values`' label sets. */
  computedCounters(
    name: string,
    help: string,
    labelNames: readonly string[],
    values: () => Iterable<readonly [labels: Labels, value: number]>,
  ): void {
    new Counter({
      ...this.#describe(name, help, labelNames),
      collect() {
        this.reset();
        for (const [labels, value] of values()) this.inc({ ...labels }, value);
      },
    });
  }

  /** Gauges that are kept elsewhere, one sample for each of `values`' label sets. */
  computedGauges(
    name: string,
    help: string,
    labelNames: readonly string[],
    values: () => Iterable<readonly [labels: Labels, value: number]>,
  ): void {
    new Gauge({
      ...this.#describe(name, help, labelNames),
      collect() {
        this.reset();
        for (const [labels, value] of values()) this.set({ ...labels }, value);
      },
    });
  }

  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames: readonly string[] = [],
  ): HistogramMetric {
    const metric = new Histogram({ ...this.#describe(name, help, labelNames), buckets: [...buckets] });
    return {
      observe: (value, labels = {}) => {
        metric.observe({ ...labels }, value);
      },
    };
  }

  /** Every metric as text. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Every metric as a value. */
  async families(): Promise<readonly MetricFamily[]> {
    const families = await this.#registry.getMetricsAsJSON();
    return families.map(({ name, help, type, values }) =>
      type.toString() === "histogram"
        ? { name, help, kind: "histogram", samples: histogramSamples(name, values) }
        : {
            name,
            help,
            kind: type.toString() === "counter" ? "counter" : "gauge",
            samples: values.map(({ labels, value }) => ({ labels: textLabels(labels), value })),
          },
    );
  }

  #describe(
    name: string,
    help: string,
    labelNames: readonly string[],
  ): { name: string; help: string; labelNames: string[]; registers: Registry[] } {
    return { name: this.#prefix + name, help, labelNames: [...labelNames], registers: [this.#registry] };
  }
}

type LibraryValue = MetricObjectWithValues<MetricValue<string>>["values"][number] & {
  readonly metricName?: string;
};

/** prom-client has each bucket with what fell into those below it as a sample of its own. */
function histogramSamples(name: string, values: readonly LibraryValue[]): readonly HistogramSample[] {
  const groups = Map.groupBy(values, ({ labels }) => JSON.stringify({ ...labels, le: undefined }));
  return [...groups.values()].map((samples) => {
    const { le: _, ...labels } = samples[0]?.labels ?? {};
    const buckets = samples.filter(({ metricName }) => metricName === `${name}_bucket`);
    return {
      labels: textLabels(labels),
      bounds: buckets.slice(0, -1).map(({ labels: { le } }) => Number(le)),
      counts: buckets.map(({ value }, index) => value - (buckets[index - 1]?.value ?? 0)),
      sum: samples.find(({ metricName }) => metricName === `${name}_sum`)?.value ?? 0,
    };
  });
}

function textLabels(labels: Readonly<Record<string, string | number | undefined>>): Labels {
  return Object.fromEntries(Object.entries(labels).map(([label, value]) => [label, String(value)]));
}
