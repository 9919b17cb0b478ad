/** OTLP over HTTP: one request (OTLP specification, "OTLP/HTTP"). */
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { authenticated, trustedRoots } from "../net/server-authentication.ts";
import { settleAnyhow } from "../net/settle-anyhow.ts";
import { type Exchange, maxAnswerBytes, readTls, RefusedError } from "./exchange.ts";
import type { OtlpTarget, OtlpTls } from "./options.ts";

/** What passes (OTLP specification, "OTLP/HTTP Response"). */
const retryableStatus: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** @throws RefusedError for an answer that another try would not change, else an Error */
export async function exchangeByHttp(target: OtlpTarget, { body, signal }: Exchange): Promise<Buffer> {
  const { url, protocol, headers, compression, tls } = target;
  const options: RequestOptions = {
    method: "POST",
    agent: false,
    signal,
    headers: {
      ...headers,
      "content-type": protocol === "http/json" ? "application/json" : "application/x-protobuf",
      "content-length": body.length,
      ...(compression === "gzip" ? { "content-encoding": "gzip" } : {}),
    },
  };
  const request = url.startsWith("https:")
    ? (await import("node:https")).request(url, { ...options, ...tlsOptions(tls), ...authenticated })
    : (await import("node:http")).request(url, options);
  return await answerTo(request, body, signal);
}

function tlsOptions(tls: OtlpTls): {
  readonly ca: Buffer | string[];
  readonly cert?: Buffer;
  readonly key?: Buffer;
} {
  const { roots, certificate, key } = readTls(tls);
  const { ca } = trustedRoots(roots);
  return {
    ca: ca as Buffer | string[],
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
  };
}

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
