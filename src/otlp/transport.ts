/**
 * OTLP: one request for each export, and tries again for what passes, within one deadline.
 *
 * Own, as the SDK's reads files and settings from the environment by itself, has no deadline for the whole of an exchange,
 * and holds a process that ends up with its timers.
 */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { ExportResponse, IExporterTransport } from "@opentelemetry/otlp-exporter-base";
import type { Backoff } from "../lifecycle/backoff.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { retrying } from "../lifecycle/retry.ts";
import { Deadline } from "../lifecycle/timer.ts";
import { type Exchange, RefusedError } from "./exchange.ts";
import type { Signal } from "./metrics.ts";
import type { OtlpTarget } from "./options.ts";

/** Between tries, as the OTLP specification wants them: exponential, with jitter. */
const backoff: Backoff = { initialMs: 1_000, multiplier: 1.5, maxMs: 5_000, jitter: 0.2 };

const compress = promisify(gzip);

/** Sends one signal to one target until it is shut down. */
export class OtlpTransport implements IExporterTransport {
  readonly #target: OtlpTarget;
  readonly #signal: Signal;
  readonly #closing = new AbortController();

  constructor(target: OtlpTarget, signal: Signal) {
    this.#target = target;
    this.#signal = signal;
  }

  async send(data: Uint8Array, timeoutMs: number): Promise<ExportResponse> {
    using deadline = new Deadline(timeoutMs);
    const endsAt = performance.now() + timeoutMs;
    const signal = AbortSignal.any([deadline.signal, this.#closing.signal]);
    let last: unknown;
    try {
      const body = this.#target.compression === "gzip" ? await compress(data) : data;
      const once = (): Promise<Buffer> =>
        this.#exchange({ body, leftMs: Math.max(1, endsAt - performance.now()), signal });
      const answer = await retrying(once, {
        backoff,
        signal,
        isFinal: (error) => error instanceof RefusedError,
        onFailure: ({ error }) => {
          last = error;
        },
      });
      return { status: "success", data: answer };
    } catch (error) {
      const cause = signal.aborted ? (last ?? `no answer within ${timeoutMs} ms`) : error;
      return { status: "failure", error: new Error(typeof cause === "string" ? cause : errorMessage(cause)) };
    }
  }

  /** Ends what is under way. */
  shutdown(): void {
    this.#closing.abort();
  }

  async #exchange(exchange: Exchange): Promise<Buffer> {
    if (this.#target.protocol === "grpc") {
      const { exchangeByGrpc } = await import("./grpc-exchange.ts");
      return await exchangeByGrpc(this.#target, this.#signal, exchange);
    }
    const { exchangeByHttp } = await import("./http-exchange.ts");
    return await exchangeByHttp(this.#target, exchange);
  }
}
