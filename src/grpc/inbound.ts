/**
 * The messages that come on one HTTP/2 stream, read one after the other.
 *
 * Little is taken in ahead of whoever reads: then the stream pauses, HTTP/2's window fills and the peer waits.
 */
import type { Http2Stream } from "node:http2";
import { GrpcError } from "./grpc-error.ts";
import { MessageReader } from "./message-reader.ts";

/** Bytes that may wait for the reader before the peer is held back; what is in its window comes on top. */
const readAheadBytes = 65_536;

type Next = IteratorResult<Buffer, undefined>;

/** The reading side of a stream. */
export class Inbound {
  readonly #messages: MessageReader;
  readonly #onDamage: (error: GrpcError) => void;
  #stream: Http2Stream | undefined;
  #waiting: PromiseWithResolvers<Next> | undefined;
  /** Set once nothing more comes. */
  #end: { readonly failure: GrpcError | undefined } | undefined;
  #isDamaged = false;

  /** @param onDamage hears of bytes that are no messages, as the reader does @param mostBytes of one message */
  constructor(onDamage: (error: GrpcError) => void, mostBytes?: number) {
    this.#onDamage = onDamage;
    this.#messages = new MessageReader(mostBytes);
  }

  /** Read from `stream` on. */
  attach(stream: Http2Stream): void {
    this.#stream = stream;
    stream.on("data", (chunk: Buffer) => {
      if (this.#isDamaged) return;
      this.#messages.push(chunk);
      this.#settle();
      if (this.#messages.unreadBytes > readAheadBytes) stream.pause();
    });
  }

  /** The next message; after the last one the end. Rejects with GrpcError when the stream failed. */
  next(): Promise<Next> {
    const message = this.#take();
    if (message !== undefined) return Promise.resolve({ done: false, value: message });
    this.#waiting ??= Promise.withResolvers<Next>();
    const { promise } = this.#waiting;
    this.#settle();
    this.#stream?.resume();
    return promise;
  }

  /** Nothing more comes. What has come is still given out, then `failure` if there is one. */
  finish(failure?: GrpcError): void {
    this.#end ??= { failure };
    this.#settle();
  }

  /** Nothing more is given out, not even what has come. */
  abandon(failure: GrpcError): void {
    this.#isDamaged = true;
    this.finish(failure);
  }

  #settle(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const message = this.#take();
    if (message === undefined && this.#end === undefined) return;
    this.#waiting = undefined;
    if (message !== undefined) waiting.resolve({ done: false, value: message });
    else if (this.#end?.failure !== undefined) waiting.reject(this.#end.failure);
    else if (this.#messages.isEmpty) waiting.resolve({ done: true, value: undefined });
    else waiting.reject(new GrpcError("INTERNAL", "the stream ended in the middle of a message"));
  }

  #take(): Buffer | undefined {
    if (this.#isDamaged) return undefined;
    try {
      return this.#messages.next();
    } catch (error) {
      const damage = GrpcError.from(error);
      this.#isDamaged = true;
      this.#end = { failure: damage };
      this.#onDamage(damage);
      return undefined;
    }
  }
}
