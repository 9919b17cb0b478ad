/**
 * A bidirectional call as the client has it.
 */
import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { Timer } from "../lifecycle/timer.ts";
import type { ByteStream } from "./channel.ts";
import type { Connection, LostConnection } from "./connection.ts";
import { GrpcError } from "./grpc-error.ts";
import { Inbound } from "./inbound.ts";
import { Outbound } from "./outbound.ts";
import { codeOfHttpStatus, codeOfReset, decodeStatusMessage, statusName } from "./status-code.ts";

/** From the end of a stream to the trailers or the reset that says why, which are reported after it. */
const statusWithinMs = 200;

/** What is particular about a call. */
export interface CallOptions {
  /** Hears what the answer begins with. */
  readonly onHeaders?: ((headers: IncomingHttpHeaders) => void) | undefined;
  /** Messages are in the encoding that the head names. */
  readonly isCompressed?: boolean;
  /** Of one message that comes. */
  readonly mostBytes?: number | undefined;
}

/** The call; what is written before it begins waits. */
export class ClientCall implements ByteStream {
  readonly #address: string;
  readonly #onHeaders: ((headers: IncomingHttpHeaders) => void) | undefined;
  readonly #inbound: Inbound;
  readonly #outbound: Outbound;
  #stream: ClientHttp2Stream | undefined;
  /** The server's status; undefined until it came. */
  #status: { readonly failure: GrpcError | undefined } | undefined;
  #isOver = false;

  constructor(address: string, { onHeaders, isCompressed, mostBytes }: CallOptions = {}) {
    this.#address = address;
    this.#onHeaders = onHeaders;
    this.#outbound = new Outbound(isCompressed);
    this.#inbound = new Inbound(() => {
      this.#stream?.close(constants.NGHTTP2_CANCEL);
    }, mostBytes);
  }

  /** Open the stream. */
  begin(connection: Connection, headers: OutgoingHttpHeaders): void {
    if (this.#isOver) return;
    let stream: ClientHttp2Stream;
    try {
      stream = connection.session.request(headers, { endStream: false });
    } catch (error) {
      const { words = String(error), transport } = connection.whyLost ?? {};
      this.fail(new GrpcError("UNAVAILABLE", words, this.#address, { cause: error, transport }));
      return;
    }
    this.#stream = stream;
    let cause: unknown;
    stream.on("error", (error) => {
      cause ??= error;
    });
    stream.on("response", (received, flags) => {
      this.#onHeaders?.(received);
      if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) {
        this.#status ??= this.#statusIn(received);
        return;
      }
      const refusal = this.#refusalOf(received);
      if (refusal !== undefined) this.abort(refusal.failure);
    });
    const end = (): void => {
      this.#status ??= this.#failed("INTERNAL", "the call ended without a status");
      this.#finish(this.#status.failure);
      stream.close(constants.NGHTTP2_NO_ERROR);
    };
    stream.on("trailers", (received) => {
      this.#status ??= this.#statusIn(received);
      if (stream.readableEnded) end();
    });
    stream.on("end", () => {
      if (this.#status === undefined) new Timer(statusWithinMs, end, { isBackground: true });
      else end();
    });
    stream.on("close", () => {
      if (this.#status === undefined)
        this.#finish(this.#withoutStatus(stream.rstCode, connection.whyLost, cause));
      else this.#finish(this.#status.failure);
    });
    this.#inbound.attach(stream);
    this.#outbound.attach(stream);
  }

  /** The call came to nothing. */
  fail(error: GrpcError): void {
    this.#finish(error);
  }

  /** Want no more of it, whatever has come. */
  abort(failure: GrpcError): void {
    this.#inbound.abandon(failure);
    this.#finish(failure);
    this.#stream?.close(constants.NGHTTP2_CANCEL);
  }

  write(message: Uint8Array): Promise<void> {
    this.#outbound.enqueue(message);
    return this.#outbound.drained();
  }

  enqueue(message: Uint8Array): void {
    this.#outbound.enqueue(message);
  }

  end(): void {
    this.#outbound.end();
  }

  cancel(): void {
    this.abort(new GrpcError("CANCELLED", "cancelled by this side", this.#address));
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    return {
      next: () => this.#inbound.next(),
      return: () => {
        this.cancel();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  #finish(failure: GrpcError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#inbound.finish(failure);
    this.#outbound.abandon();
  }

  /** What a server says that is no gRPC server, or speaks what was not agreed on. */
  #refusalOf(headers: IncomingHttpHeaders): { readonly failure: GrpcError } | undefined {
    const status = Number(headers[":status"]);
    const type = headers["content-type"] ?? "";
    const encoding = headers["grpc-encoding"] ?? "identity";
    if (status !== 200) return this.#failed(codeOfHttpStatus(status), `HTTP status ${status}`);
    if (!type.startsWith("application/grpc"))
      return this.#failed("UNKNOWN", `the answer is no gRPC: its content-type is "${type}"`);
    if (encoding !== "identity")
      return this.#failed("UNIMPLEMENTED", `messages in the encoding ${String(encoding)} are not taken`);
    return undefined;
  }

  #statusIn(headers: IncomingHttpHeaders): { readonly failure: GrpcError | undefined } {
    const code = headers["grpc-status"];
    if (code === undefined) {
      return (
        (headers[":status"] === undefined ? undefined : this.#refusalOf(headers)) ??
        this.#failed("INTERNAL", "the call ended without a status")
      );
    }
    const name = statusName(Number(code));
    if (name === "OK") return { failure: undefined };
    const words = decodeStatusMessage(String(headers["grpc-message"] ?? ""));
    const statusDetails = binaryOf(headers["grpc-status-details-bin"]);
    return { failure: new GrpcError(name, words, this.#address, { statusDetails }) };
  }

  #withoutStatus(resetCode: number, lost: LostConnection | undefined, cause: unknown): GrpcError {
    if (lost !== undefined) {
      const { words, transport } = lost;
      return new GrpcError("UNAVAILABLE", words, this.#address, { cause, transport });
    }
    const code = codeOfReset(resetCode);
    const isOrderly = resetCode === constants.NGHTTP2_NO_ERROR;
    const details =
      resetCode === constants.NGHTTP2_REFUSED_STREAM
        ? "the server refused the stream"
        : `the server reset the stream with HTTP/2's ${isOrderly ? "NO_ERROR" : `code ${resetCode}`}`;
    return new GrpcError(code, details, this.#address, {
      ...{ cause, transport: isOrderly ? "stream-closed" : undefined },
    });
  }

  #failed(...[code, details]: ConstructorParameters<typeof GrpcError>): { readonly failure: GrpcError } {
    return { failure: new GrpcError(code, details, this.#address) };
  }
}

/** A binary header (gRPC over HTTP/2, Binary-Header); undefined where there is none. */
function binaryOf(header: string | string[] | undefined): Buffer | undefined {
  return typeof header === "string" ? Buffer.from(header, "base64") : undefined;
}
