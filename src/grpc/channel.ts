/**
 * gRPC calls with opaque messages, on `node:http2`: disposable and abortable.
 *
 * Messages are bytes on both sides, so that what the agent does not read is never decoded. grpc-js took each through
 * some ten layers, and its code was 30 ms of every start.
 */
import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { Timer } from "../lifecycle/timer.ts";
import { type CallOptions, ClientCall } from "./client-call.ts";
import { Connection } from "./connection.ts";
import { GrpcError } from "./grpc-error.ts";
import { formatTimeout } from "./status-code.ts";
import type { TlsPolicy } from "./tls-policy.ts";

/** Server authentication of a channel. */
export interface ChannelTls {
  /** PEM roots; undefined takes those that Node.js brings. */
  readonly rootCertificates: Buffer | undefined;
  /** Name that the server's certificate must carry; the address's host unless told. */
  readonly serverName?: string | undefined;
  /** What the connection may be made of; undefined leaves it to the library. */
  readonly policy?: TlsPolicy | undefined;
  /** Authenticates this client; PEM. */
  readonly clientCertificate?: { readonly certificateChain: Buffer; readonly privateKey: Buffer } | undefined;
}

/** Where and how to connect. */
export interface ChannelOptions {
  /** `host:port`, or `unix:PATH`. */
  readonly address: string;
  /** Undefined for plain text. */
  readonly tls: ChannelTls | undefined;
}

/** Metadata of a call. */
export type CallMetadata = Readonly<Record<string, string>>;

/** A unary call's data. */
export interface UnaryCall {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly request: Uint8Array;
  /** How the request is compressed already; undefined for not at all. */
  readonly encoding?: "gzip" | undefined;
  /** Longest answer that is taken, in bytes; any unless told. */
  readonly mostAnswerBytes?: number;
  readonly metadata: CallMetadata;
  /** Deadline of the call, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Gets the server's clock, if its answer has a `date`. */
  readonly onDate?: (date: Date) => void;
}

/** A bidirectional stream of bytes. Iterating it throws GrpcError when the call fails. */
export interface ByteStream extends AsyncIterable<Buffer> {
  /** Resolves when the transport has taken the message, or the stream is gone. */
  write(message: Uint8Array): Promise<void>;
  /** Queue without waiting, however much is queued already. */
  enqueue(message: Uint8Array): void;
  /** Half-close: nothing more will be written. */
  end(): void;
  /** End the call at once. */
  cancel(): void;
}

/** One connection, made for the first call; disposing it ends its calls. */
export class GrpcChannel implements Disposable {
  readonly address: string;
  readonly #options: ChannelOptions;
  readonly #closing = new AbortController();
  #connection: Promise<Connection> | undefined;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.address = options.address;
  }

  /** Connect before the first call, which hears of it when that fails. */
  connect(): void {
    this.#connect().catch(() => undefined);
  }

  /** @throws GrpcError */
  async unary({ path, request, metadata, timeoutMs, signal, onDate, ...rest }: UnaryCall): Promise<Buffer> {
    const { encoding, mostAnswerBytes } = rest;
    const more = {
      "grpc-timeout": formatTimeout(timeoutMs),
      ...(encoding === undefined ? {} : { "grpc-encoding": encoding }),
    };
    const onHeaders = (headers: IncomingHttpHeaders): void => {
      const date = new Date(headers.date ?? "");
      if (!Number.isNaN(date.getTime())) onDate?.(date);
    };
    const options = { onHeaders, isCompressed: encoding !== undefined, mostBytes: mostAnswerBytes };
    const call = this.#open(path, metadata, more, options);
    using _deadline = new Timer(timeoutMs, () => {
      call.abort(new GrpcError("DEADLINE_EXCEEDED", `no answer within ${timeoutMs / 1_000} s`, this.address));
    });
    const onAbort = (): void => {
      call.cancel();
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    try {
      call.enqueue(request);
      call.end();
      const messages = call[Symbol.asyncIterator]();
      const { value: response } = await messages.next();
      // The status comes last.
      if (response !== undefined) await messages.next();
      return response ?? Buffer.alloc(0);
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Open a stream on `path`. Its failure to connect is heard by whoever reads it. */
  stream(path: string, metadata: CallMetadata): ByteStream {
    return this.#open(path, metadata, {});
  }

  [Symbol.dispose](): void {
    this.#closing.abort();
  }

  #open(
    path: string,
    metadata: CallMetadata,
    more: OutgoingHttpHeaders,
    options: CallOptions = {},
  ): ClientCall {
    const call = new ClientCall(this.address, options);
    this.#connect().then(
      (connection) => {
        call.begin(connection, { ...this.#headers(path, metadata), ...more });
      },
      (error: unknown) => {
        call.fail(GrpcError.from(error, this.address));
      },
    );
    return call;
  }

  #connect(): Promise<Connection> {
    this.#connection ??= Connection.open(this.#options, this.#closing.signal);
    return this.#connection;
  }

  #headers(path: string, metadata: CallMetadata): OutgoingHttpHeaders {
    const { address, tls } = this.#options;
    return {
      ...Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key.toLowerCase(), value])),
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_SCHEME]: tls === undefined ? "http" : "https",
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_AUTHORITY]:
        tls?.serverName ?? (address.startsWith("unix:") ? "localhost" : address),
      te: "trailers",
      "content-type": "application/grpc",
      "grpc-accept-encoding": "identity",
      "user-agent": "outrider",
    };
  }
}
