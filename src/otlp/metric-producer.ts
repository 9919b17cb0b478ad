/**
 * The agent's metrics as the SDK's metric readers take them, under the names that Prometheus knows them by.
 */
import { type HrTime, ValueType } from "@opentelemetry/api";
import type { InstrumentationScope } from "@opentelemetry/core";
import { emptyResource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type MetricProducer,
} from "@opentelemetry/sdk-metrics";
import type { HistogramSample, MetricFamily, MetricSample } from "../telemetry/metrics.ts";
import { wallClock } from "./wall-clock.ts";

/** Reads `families` at each collection. */
export function metricProducer(
  scope: InstrumentationScope,
  families: () => Promise<readonly MetricFamily[]>,
): MetricProducer {
  const beganAt = performance.now();
  return {
    collect: async () => {
      const timeOf = wallClock();
      const [begin, end] = [timeOf(beganAt), timeOf(performance.now())];
      const metrics = (await families())
        .filter(({ samples }) => samples.length > 0)
        .map((family) => metricData(family, begin, end));
      return {
        resourceMetrics: { resource: emptyResource(), scopeMetrics: [{ scope, metrics }] },
        errors: [],
      };
    },
  };
}

function metricData(family: MetricFamily, startTime: HrTime, endTime: HrTime): MetricData {
  const { name, help: description } = family;
  const described = {
    descriptor: { name, description, unit: "", valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  const times = { startTime, endTime };
  if (family.kind === "histogram") {
    return {
      ...described,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: family.samples.map((sample) => ({ ...times, ...histogram(sample) })),
    };
  }
  const dataPoints = family.samples.filter(isFinite).map(({ labels: attributes, value }) => ({
    ...times,
    attributes,
    value,
  }));
  return family.kind === "counter"
    ? { ...described, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
    : { ...described, dataPointType: DataPointType.GAUGE, dataPoints };
}

/** JSON has no word for others. */
function isFinite({ value }: MetricSample): boolean {
  return Number.isFinite(value);
}

function histogram({ labels, bounds, counts, sum }: HistogramSample): {
  readonly attributes: MetricSample["labels"];
  readonly value: {
    readonly buckets: { readonly boundaries: number[]; readonly counts: number[] };
    readonly sum: number;
    readonly count: number;
  };
} {
  const count = counts.reduce((total, one) => total + one, 0);
  return {
    attributes: labels,
    value: { buckets: { boundaries: [...bounds], counts: [...counts] }, sum, count },
  };
}
