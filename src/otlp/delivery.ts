/**
 * The way out of one signal: what cannot be delivered is counted and dropped, and said once.
 */
import { ExportResultCode, type ExportResult as SdkResult } from "@opentelemetry/core";
import {
  createOtlpNetworkExportDelegate,
  ExporterMetrics,
  type IOtlpExportDelegate,
} from "@opentelemetry/otlp-exporter-base";
import type { IExporterMetricsHelper, ISerializer } from "@opentelemetry/otlp-transformer";
import { type Backoff, backoffDelayMs } from "../lifecycle/backoff.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import type { Logger } from "../telemetry/log.ts";
import type { ExportResult, OtlpMetrics, Signal } from "./metrics.ts";
import type { OtlpTarget } from "./options.ts";
import { type Rejected, rejectedOf } from "./rejected.ts";
import { OtlpTransport } from "./transport.ts";

/** Exports at a time: one, and at the end what else waits, which is two batches of the SDK at most. */
const concurrencyLimit = 3;

/** How one signal is written. */
export interface Writing<Items> {
  readonly signal: Signal;
  readonly serializer: ISerializer<Items, unknown>;
  readonly helper: IExporterMetricsHelper<Items>;
}

/** Where deliveries report. */
export interface DeliveryReport {
  readonly metrics: OtlpMetrics;
  readonly log: Logger;
  /** Nothing is sent for so long after failures in a row: each export has tried for a while itself. */
  readonly pauses: Backoff;
}

/** An exporter, as the SDK's processors and readers want it. */
export class Delivery<Items> {
  readonly #signal: Writing<Items>["signal"];
  readonly #endpoint: string;
  readonly #transport: OtlpTransport;
  readonly #delegate: IOtlpExportDelegate<Items>;
  readonly #report: DeliveryReport;
  /** In a row. */
  #failures = 0;
  /** On the monotonic clock. */
  #pausedUntil = -Infinity;
  #isClosed = false;
  /** What was not taken of the export whose answer was read last. */
  #rejected: Rejected | undefined;
  /** The endpoint took less than all of the last export that it took. */
  #isPartial = false;

  constructor(target: OtlpTarget, { signal, serializer, helper }: Writing<Items>, report: DeliveryReport) {
    const { timeoutMs: timeoutMillis, compression } = target;
    this.#signal = signal;
    this.#endpoint = new URL(target.url).host;
    this.#report = report;
    this.#transport = new OtlpTransport(target, signal);
    this.#delegate = createOtlpNetworkExportDelegate(
      { timeoutMillis, compression, concurrencyLimit },
      {
        serializeRequest: (items) => serializer.serializeRequest(items),
        // Whoever asked for the export is told right after its answer was read.
        deserializeResponse: (bytes) => {
          this.#rejected = undefined;
          const answer = serializer.deserializeResponse(bytes);
          this.#rejected = rejectedOf(signal, answer);
          return answer;
        },
      },
      new ExporterMetrics({
        ...{ componentType: `otlp_${signal}`, metricsHelper: helper, url: undefined },
        ...{ meterProvider: undefined, responseAttributesFromError: () => ({}) },
      }),
      this.#transport,
    );
  }

  /** False from a failure until something was delivered. */
  get works(): boolean {
    return this.#failures === 0;
  }

  export(items: Items, done: (result: SdkResult) => void): void {
    if (this.#isClosed || performance.now() < this.#pausedUntil) {
      this.#count("skipped");
      done({ code: ExportResultCode.FAILED });
      return;
    }
    this.#delegate.export(items, (result) => {
      if (this.#isClosed) this.#count("skipped");
      else if (result.code === ExportResultCode.SUCCESS) this.#delivered();
      else this.#failed(result.error);
      done(result);
    });
  }

  forceFlush(): Promise<void> {
    return this.#delegate.forceFlush();
  }

  /** Nothing is sent any more, and what is under way ends. */
  shutdown(): Promise<void> {
    this.#isClosed = true;
    this.#transport.shutdown();
    return this.#delegate.shutdown();
  }

  #delivered(): void {
    const rejected = this.#rejected;
    this.#rejected = undefined;
    this.#count(rejected === undefined ? "delivered" : "partial");
    this.#noteRejected(rejected);
    if (this.#failures > 0)
      this.#report.log.info("the OTLP endpoint takes telemetry again", this.#fields(undefined));
    this.#failures = 0;
  }

  #noteRejected(rejected: Rejected | undefined): void {
    const { log, metrics } = this.#report;
    if (rejected !== undefined) {
      metrics.rejected.inc({ signal: this.#signal }, rejected.count);
      const fields = { ...this.#fields(rejected.reason), rejected: rejected.count };
      if (this.#isPartial) log.debug("the OTLP endpoint still does not take all of the telemetry", fields);
      else log.warn("the OTLP endpoint does not take all of the telemetry", fields);
    } else if (this.#isPartial) {
      log.info("the OTLP endpoint takes all of the telemetry again", this.#fields(undefined));
    }
    this.#isPartial = rejected !== undefined;
  }

  #failed(error: Error | undefined): void {
    this.#count("failed");
    const { log, pauses } = this.#report;
    const pauseMs = backoffDelayMs(pauses, this.#failures, Math.random());
    this.#pausedUntil = performance.now() + pauseMs;
    const fields = this.#fields(errorMessage(error ?? "no answer"));
    if (this.#failures === 0) log.warn("telemetry is not delivered to the OTLP endpoint", fields);
    else log.debug("telemetry is still not delivered to the OTLP endpoint", { ...fields, pauseMs });
    this.#failures += 1;
  }

  #fields(reason: string | undefined): Readonly<Record<string, string | undefined>> {
    return { signal: this.#signal, endpoint: this.#endpoint, reason };
  }

  #count(result: ExportResult): void {
    this.#report.metrics.exports.inc({ signal: this.#signal, result });
  }
}
