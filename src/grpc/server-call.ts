/**
 * A call as the server has it: bidirectional on the wire, whatever its handler makes of it.
 */
import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { ByteStream } from "./channel.ts";
import { GrpcError } from "./grpc-error.ts";
import { Inbound } from "./inbound.ts";
import { Outbound } from "./outbound.ts";
import type { CallContext } from "./server.ts";
import { encodeStatusMessage, type StatusName, statusCodes } from "./status-code.ts";

const answerHeaders = {
  ":status": 200,
  "content-type": "application/grpc",
  "grpc-accept-encoding": "identity",
} as const;

/** In place of an exception with a stack, which each of thousands of streams would make. */
const goneReason = "the caller went away";

/** The call. */
export class ServerCall implements ByteStream, CallContext {
  readonly peer: string;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #inbound = new Inbound(() => undefined);
  readonly #outbound = new Outbound();
  #controller: AbortController | undefined;
  #isGone = false;
  #trailers: OutgoingHttpHeaders | undefined;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, peer: string) {
    this.#stream = stream;
    this.#headers = headers;
    this.peer = peer;
    // Why a stream broke is of no use to anybody: its caller is gone.
    stream.on("error", () => undefined);
    stream.on("end", () => {
      this.#inbound.finish();
    });
    stream.on("close", () => {
      this.#abort();
      this.#inbound.finish(new GrpcError("CANCELLED", goneReason, peer));
      this.#outbound.abandon();
    });
    this.#inbound.attach(stream);
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isGone) this.#controller.abort(goneReason);
    return this.#controller.signal;
  }

  metadata(key: string): string | undefined {
    const value = this.#headers[key.toLowerCase()];
    return Array.isArray(value) ? value[0] : value;
  }

  write(message: Uint8Array): Promise<void> {
    this.enqueue(message);
    return this.#outbound.drained();
  }

  enqueue(message: Uint8Array): void {
    if (this.#trailers !== undefined || this.#stream.destroyed || this.#stream.closed) return;
    if (!this.#stream.headersSent) this.#respond();
    this.#outbound.enqueue(message);
  }

  end(): void {
    this.finish("OK");
  }

  cancel(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  /** End the call with a status, after what was written. */
  finish(status: StatusName, details = ""): void {
    const stream = this.#stream;
    if (this.#trailers !== undefined || stream.destroyed || stream.closed) return;
    this.#trailers = {
      "grpc-status": String(statusCodes[status]),
      ...(details === "" ? {} : { "grpc-message": encodeStatusMessage(details) }),
    };
    // Whatever the caller still sends is of no interest, but has to go somewhere.
    this.#inbound.abandon(new GrpcError("CANCELLED", "the call has ended", this.peer));
    stream.resume();
    if (stream.headersSent) this.#outbound.end();
    else {
      stream.respond({ ...answerHeaders, ...this.#trailers }, { endStream: true });
      this.#hangUp();
    }
  }

  /** The call is over for its handler, whatever the wire does. */
  abort(): void {
    this.#abort();
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    return {
      next: () => this.#inbound.next(),
      // A handler that stops reading may still write.
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
  }

  #abort(): void {
    this.#isGone = true;
    this.#controller?.abort(goneReason);
  }

  #respond(): void {
    const stream = this.#stream;
    stream.respond({ ...answerHeaders }, { waitForTrailers: true });
    stream.once("wantTrailers", () => {
      stream.sendTrailers(this.#trailers ?? { "grpc-status": String(statusCodes.OK) });
      this.#hangUp();
    });
    this.#outbound.attach(stream);
  }

  /** A caller that has not half-closed learns that nobody listens. */
  #hangUp(): void {
    const stream = this.#stream;
    setImmediate(() => {
      if (!stream.destroyed) stream.close(constants.NGHTTP2_NO_ERROR);
    });
  }
}
