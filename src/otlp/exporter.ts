/**
 * Spans and metrics of this process, sent to an OTLP endpoint by OpenTelemetry's SDK.
 *
 * Nothing waits for it, and nothing fails with it.
 */
import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import {
  JsonMetricsSerializer,
  JsonTraceSerializer,
  MetricsExporterMetricsHelper,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
  TraceExporterMetricsHelper,
} from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import type { Backoff } from "../lifecycle/backoff.ts";
import { sleep } from "../lifecycle/sleep.ts";
import type { Logger } from "../telemetry/log.ts";
import type { MetricFamily } from "../telemetry/metrics.ts";
import type { EndedSpan, SpanSink } from "../telemetry/spans.ts";
import { Delivery } from "./delivery.ts";
import { metricProducer } from "./metric-producer.ts";
import type { OtlpMetrics } from "./metrics.ts";
import type { OtlpOptions } from "./options.ts";
import { wallClock } from "./wall-clock.ts";

/** Spans that wait for the next export; more are dropped. */
const maxQueueSize = 1_024;

/** Longest text of a span, in characters: Envoy's words may be of thousands of resources. */
const maxText = 1_024;

/** Of a longer one so much is searched for secrets, more than is kept: none is to be cut in two and shown. */
const searchedText = 4 * maxText;

/** How long things take, in milliseconds. */
export interface OtlpLimits {
  /** Between two exports of spans. */
  readonly spansEveryMs: number;
  /** How long nothing is sent after failures in a row. */
  readonly pauses: Backoff;
  /** How long the last export may hold up the end of the process. */
  readonly lastExportMs: number;
}

const usualLimits: OtlpLimits = {
  spansEveryMs: 5_000,
  pauses: { initialMs: 5_000, multiplier: 2, maxMs: 300_000, jitter: 0.2 },
  lastExportMs: 1_000,
};

/** What is exported, and where that reports. */
export interface OtlpDependencies {
  /** Of this release. */
  readonly version: string;
  readonly families: () => Promise<readonly MetricFamily[]>;
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string;
  readonly metrics: OtlpMetrics;
  readonly log: Logger;
  readonly limits?: OtlpLimits;
}

/** Exports until it is disposed. */
export class OtlpExporter implements AsyncDisposable {
  readonly #deliveries: Delivery<never>[] = [];
  readonly #redact: OtlpDependencies["redact"];
  readonly #lastExportMs: number;
  readonly #traces: TracerProvider | undefined;
  readonly #metrics: MeterProvider | undefined;
  readonly #tracer: Tracer | undefined;
  #start: Span | undefined;

  constructor(
    options: OtlpOptions,
    { version, families, redact, metrics, log, limits = usualLimits }: OtlpDependencies,
  ) {
    const { spansEveryMs, pauses, lastExportMs } = limits;
    const report = { metrics, log, pauses };
    this.#lastExportMs = lastExportMs;
    const resource = resourceFromAttributes({ ...options.resource });
    const scope = { name: "outrider", version };
    this.#redact = redact;
    if (options.traces !== undefined) {
      const serializer =
        options.traces.protocol === "http/json" ? JsonTraceSerializer : ProtobufTraceSerializer;
      const writing = { signal: "traces", serializer, helper: TraceExporterMetricsHelper } as const;
      const exporter = this.#added(new Delivery(options.traces, writing, report));
      const processor = new BatchSpanProcessor({
        ...{ exporter, maxQueueSize, scheduledDelayMillis: spansEveryMs },
        exportTimeoutMillis: options.traces.timeoutMs + lastExportMs,
      });
      this.#traces = new TracerProvider({ resource, spanProcessors: [processor] });
      this.#tracer = this.#traces.getTracer(scope.name, scope.version);
    }
    if (options.metrics !== undefined) {
      const serializer =
        options.metrics.protocol === "http/json" ? JsonMetricsSerializer : ProtobufMetricsSerializer;
      const writing = { signal: "metrics", serializer, helper: MetricsExporterMetricsHelper } as const;
      const reader = new PeriodicExportingMetricReader({
        exporter: this.#added(new Delivery(options.metrics, writing, report)),
        exportIntervalMillis: options.metricsIntervalMs,
        exportTimeoutMillis: Math.min(options.metrics.timeoutMs + lastExportMs, options.metricsIntervalMs),
        metricProducers: [metricProducer(scope, families)],
      });
      this.#metrics = new MeterProvider({ resource, readers: [reader] });
    }
  }

  /** The process starts, since its very beginning: what ends before `started` is part of that. */
  starting(name: string): void {
    this.#start = this.#tracer?.startSpan(name, { startTime: wallClock()(0) }, ROOT_CONTEXT);
  }

  /** It has started. */
  started(): void {
    this.#start?.end(wallClock()(performance.now()));
    this.#start = undefined;
  }

  /** Takes a span. */
  readonly take: SpanSink = ({ name, kind, startedAt, endedAt, attributes, error }: EndedSpan): void => {
    if (this.#tracer === undefined) return;
    const parent: Context =
      this.#start === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, this.#start);
    const timeOf = wallClock();
    const span = this.#tracer.startSpan(
      name,
      {
        kind: kind === "client" ? SpanKind.CLIENT : SpanKind.INTERNAL,
        startTime: timeOf(startedAt),
        attributes: Object.fromEntries(
          Object.entries(attributes).map(([key, value]) => [
            key,
            typeof value === "string" ? this.#shown(value) : value,
          ]),
        ),
      },
      parent,
    );
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: this.#shown(error) });
    span.end(timeOf(endedAt ?? performance.now()));
  };

  /** What is left is sent, where that is of use: not to an endpoint that has just failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#start?.setStatus({ code: SpanStatusCode.ERROR, message: "it ended before it had started" });
    this.#start?.end();
    const over = new AbortController();
    const last = this.#deliveries.every(({ works }) => works) ? this.#flush() : undefined;
    await Promise.race([last, sleep(this.#lastExportMs, over.signal)]);
    over.abort();
    await Promise.allSettled(this.#deliveries.map((delivery) => delivery.shutdown()));
    await Promise.allSettled([this.#traces?.shutdown(), this.#metrics?.shutdown()]);
  }

  async #flush(): Promise<void> {
    await Promise.allSettled([this.#traces?.forceFlush(), this.#metrics?.forceFlush()]);
    // The SDK does not wait for what was under way before.
    await Promise.allSettled(this.#deliveries.map((delivery) => delivery.forceFlush()));
  }

  #shown(text: string): string {
    const shown = this.#redact(text.slice(0, searchedText));
    return shown.length > maxText ? `${shown.slice(0, maxText)}…` : shown;
  }

  #added<Items>(delivery: Delivery<Items>): Delivery<Items> {
    this.#deliveries.push(delivery);
    return delivery;
  }
}
