/**
 * OTLP over HTTP: one request for each export, and tries again for what passes, within one deadline.
 *
 * Own, as the SDK's reads files and settings from the environment by itself, has no deadline for the whole of an exchange,
 * and holds a process that ends up with its timers.
 */
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { ExportResponse, IExporterTransport } from "@opentelemetry/otlp-exporter-base";
import { readRegularFile } from "../files/read-regular-file.ts";
import type { Backoff } from "../lifecycle/backoff.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { retrying } from "../lifecycle/retry.ts";
import { Deadline } from "../lifecycle/timer.ts";
import { authenticated, trustedRoots } from "../net/server-authentication.ts";
import { settleAnyhow } from "../net/settle-anyhow.ts";
import type { OtlpTarget } from "./options.ts";

/** Largest answer that is read: an OTLP collector has little to say, in bytes. */
const maxAnswerBytes = 65_536;

/** Between tries, as the OTLP specification wants them: exponential, with jitter. */
const backoff: Backoff = { initialMs: 1_000, multiplier: 1.5, maxMs: 5_000, jitter: 0.2 };

/** What passes (OTLP specification, "OTLP/HTTP Response"). */
const retryableStatus: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const contentTypes = { "http/protobuf": "application/x-protobuf", "http/json": "application/json" } as const;

const compress = promisify(gzip);

/** A try that failed for good. */
class RefusedError extends Error {
  override readonly name = "RefusedError";
}

/** Sends to one target until it is shut down. */
export class OtlpTransport implements IExporterTransport {
  readonly #target: OtlpTarget;
  readonly #closing = new AbortController();

  constructor(target: OtlpTarget) {
    this.#target = target;
  }

  async send(data: Uint8Array, timeoutMs: number): Promise<ExportResponse> {
    using deadline = new Deadline(timeoutMs);
    const signal = AbortSignal.any([deadline.signal, this.#closing.signal]);
    let last: unknown;
    try {
      const { compression } = this.#target;
      const body = compression === "gzip" ? await compress(data) : data;
      const answer = await retrying(() => this.#exchange(body, signal), {
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

  async #exchange(body: Uint8Array, signal: AbortSignal): Promise<Buffer> {
    const { url, protocol, headers, compression } = this.#target;
    const options: RequestOptions = {
      method: "POST",
      agent: false,
      signal,
      headers: {
        ...headers,
        "content-type": contentTypes[protocol],
        "content-length": body.length,
        ...(compression === "gzip" ? { "content-encoding": "gzip" } : {}),
      },
    };
    const request = url.startsWith("https:")
      ? (await import("node:https")).request(url, { ...options, ...this.#tls(), ...authenticated })
      : (await import("node:http")).request(url, options);
    return await answerTo(request, body, signal);
  }

  /** Read for each try: certificates are replaced while the agent runs. */
  #tls(): { readonly ca: Buffer | string[]; readonly cert?: Buffer; readonly key?: Buffer } {
    const { rootPath, certificatePath, keyPath } = this.#target.tls;
    const { ca } = trustedRoots(rootPath === undefined ? undefined : readRegularFile(rootPath));
    return {
      ca: ca as Buffer | string[],
      ...(certificatePath === undefined ? {} : { cert: readRegularFile(certificatePath) }),
      ...(keyPath === undefined ? {} : { key: readRegularFile(keyPath) }),
    };
  }
}

/** @throws RefusedError for an answer that another try would not change, else an Error */
function answerTo(request: ClientRequest, body: Uint8Array, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      collect(response, request).then(resolve, reject);
    });
    settleAnyhow(request, signal, reject);
    request.end(body);
  });
}

async function collect(response: IncomingMessage, request: ClientRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) {
      request.destroy();
      throw new RefusedError(`its answer is longer than ${maxAnswerBytes} bytes`);
    }
    chunks.push(chunk);
  }
  const { statusCode = 0 } = response;
  if (statusCode >= 200 && statusCode < 300) return Buffer.concat(chunks);
  const message = `it answered with status ${statusCode}`;
  throw retryableStatus.has(statusCode) ? new Error(message) : new RefusedError(message);
}
