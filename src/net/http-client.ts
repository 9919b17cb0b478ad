/**
 * One HTTP/1.1 request over TCP or a Unix socket, always with a deadline.
 */
import { request as httpRequest } from "node:http";
import type { RequestOptions } from "node:https";
import { Deadline } from "../lifecycle/timer.ts";
import { guardedLookup, guardHost, type RefuseAddress } from "./guarded-lookup.ts";
import { authenticated } from "./server-authentication.ts";
import { settleAnyhow } from "./settle-anyhow.ts";

/** What to ask and where. */
export interface HttpRequest {
  /** Either a Unix socket or a TCP address. */
  readonly target: { readonly path: string } | { readonly host: string; readonly port: number };
  /** How its server is known where it speaks TLS; undefined for plain text. */
  readonly tls?: Pick<RequestOptions, "ca" | "servername"> | undefined;
  readonly method?: string;
  /** Path and query. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The whole exchange, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Of a TCP target: addresses that are not asked, wherever its name leads. */
  readonly refuses?: RefuseAddress;
  /** Longest answer that is taken, in bytes; a longer one is an error. */
  readonly maxBytes?: number;
}

/** A whole answer. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** Why an answer is none, where it was not the connection that failed. */
export type HttpAnswerCode = "TOO_LATE" | "TOO_LONG";

/** An answer that is not to be had. */
export class HttpAnswerError extends Error {
  override readonly name = "HttpAnswerError";
  readonly code: HttpAnswerCode;

  constructor(code: HttpAnswerCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** @throws the system error of a failed connection, RefusedAddressError, or HttpAnswerError */
export async function fetchHttp(options: HttpRequest): Promise<HttpResponse> {
  const { target, refuses } = options;
  if (refuses !== undefined && "host" in target) guardHost(target.host, refuses);
  using limit = new Deadline(options.timeoutMs);
  const deadline = limit.signal;
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
  try {
    const request = options.tls === undefined ? httpRequest : (await import("node:https")).request;
    return await exchange(options, request, signal);
  } catch (error) {
    if (!deadline.aborted) throw error;
    const where = "path" in target ? target.path : `${target.host}:${target.port}`;
    // What is asked for in the query may be long, and says nothing.
    const [path = ""] = options.url.split("?");
    const message = `${where} did not answer ${path} within ${options.timeoutMs} ms`;
    throw new HttpAnswerError("TOO_LATE", message, error);
  }
}

function exchange(
  options: HttpRequest,
  open: typeof httpRequest,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const { target, tls, refuses } = options;
  return new Promise((resolve, reject) => {
    const request = open(
      {
        ...(tls === undefined ? {} : { ...tls, ...authenticated }),
        ...("path" in target ? { socketPath: target.path } : target),
        ...(refuses === undefined ? {} : { lookup: guardedLookup(refuses) }),
        method: options.method ?? "GET",
        path: options.url,
        headers: { ...options.headers },
        agent: false,
        signal,
      },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          chunks.push(chunk);
          if (options.maxBytes === undefined || bytes <= options.maxBytes) return;
          response.destroy(
            new HttpAnswerError(
              "TOO_LONG",
              `the answer to ${options.url.split("?")[0]} is longer than ${options.maxBytes} bytes`,
            ),
          );
        });
        response.on("error", reject);
        response.on("end", () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          });
        });
      },
    );
    request.on("error", reject);
    settleAnyhow(request, signal, reject);
    request.end(options.body);
  });
}
