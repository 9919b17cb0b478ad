/**
 * Messages out of the bytes of an HTTP/2 stream: each has a byte that says whether it is compressed and four with its
 * length in front (gRPC's documentation, "gRPC over HTTP2", Length-Prefixed-Message).
 *
 * Memory is taken as bytes come, whatever length a peer announces.
 */
import { GrpcError } from "./grpc-error.ts";

const prefixBytes = 5;

/** Taken at first for a message of which more is to come. */
const firstBytes = 4_194_304;

/** What has come counts for so many times as much: then nearly all messages are there to be filled, copied once. */
const growth = 32;

/** A message of which a part has come. */
interface PartialMessage {
  readonly length: number;
  bytes: Buffer;
  filled: number;
}

/** Takes chunks, gives messages. */
export class MessageReader {
  /** What has come and has not been looked at, oldest first. */
  readonly #chunks: Buffer[] = [];
  /** Where the first chunk goes on. */
  #offset = 0;
  #unread = 0;
  #partial: PartialMessage | undefined;
  readonly #mostBytes: number;

  /** @param mostBytes of one message */
  constructor(mostBytes = Infinity) {
    this.#mostBytes = mostBytes;
  }

  /** Bytes that have come and belong to no message that was given out or begun. */
  get unreadBytes(): number {
    return this.#unread;
  }

  /** True between two messages, when nothing is left. */
  get isEmpty(): boolean {
    return this.#unread === 0 && this.#partial === undefined;
  }

  /** Take more bytes. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#unread += chunk.length;
  }

  /**
   * The next message, once all of it has come.
   *
   * @throws GrpcError when the message is compressed, which was not agreed on, or too long
   */
  next(): Buffer | undefined {
    if (this.#partial === undefined) {
      const length = this.#takePrefix();
      if (length === undefined) return undefined;
      if (length <= this.#unread) return this.#takeWhole(length);
      this.#partial = { length, bytes: Buffer.allocUnsafeSlow(Math.min(length, firstBytes)), filled: 0 };
    }
    return this.#fill(this.#partial);
  }

  #takePrefix(): number | undefined {
    if (this.#unread < prefixBytes) return undefined;
    const prefix = this.#take(prefixBytes);
    const flag = prefix[0] ?? 0;
    if (flag === 1) throw new GrpcError("UNIMPLEMENTED", "compressed messages are not taken");
    if (flag !== 0) throw new GrpcError("INTERNAL", `a message begins with ${flag} in place of 0`);
    const length = prefix.readUInt32BE(1);
    if (length > this.#mostBytes)
      throw new GrpcError(
        "RESOURCE_EXHAUSTED",
        `a message of ${length} bytes, where ${this.#mostBytes} are taken`,
      );
    return length;
  }

  /** A small message of a large chunk is copied, so that it does not keep the chunk. */
  #takeWhole(length: number): Buffer {
    const message = this.#take(length);
    return 2 * length < message.buffer.byteLength ? Buffer.from(message) : message;
  }

  /** The next bytes, in one piece. */
  #take(count: number): Buffer {
    const [chunk] = this.#chunks;
    if (chunk !== undefined && chunk.length - this.#offset >= count) {
      const taken = chunk.subarray(this.#offset, this.#offset + count);
      this.#skip(chunk, count);
      return taken;
    }
    const bytes = Buffer.allocUnsafe(count);
    this.#moveInto(bytes, 0);
    return bytes;
  }

  /** Count bytes of the first chunk as taken. */
  #skip(chunk: Buffer, count: number): void {
    this.#unread -= count;
    this.#offset += count;
    if (this.#offset < chunk.length) return;
    this.#chunks.shift();
    this.#offset = 0;
  }

  /** Move bytes into `target` from `start` on until it is full or none are left. Returns where it ended. */
  #moveInto(target: Buffer, start: number): number {
    let at = start;
    for (let [chunk] = this.#chunks; chunk !== undefined && at < target.length; [chunk] = this.#chunks) {
      const copied = chunk.copy(target, at, this.#offset);
      this.#skip(chunk, copied);
      at += copied;
    }
    return at;
  }

  #fill(partial: PartialMessage): Buffer | undefined {
    while (this.#unread > 0 && partial.filled < partial.length) {
      if (partial.filled === partial.bytes.length) {
        const larger = Buffer.allocUnsafeSlow(Math.min(partial.length, growth * partial.filled));
        partial.bytes.copy(larger);
        partial.bytes = larger;
      }
      partial.filled = this.#moveInto(partial.bytes, partial.filled);
    }
    if (partial.filled < partial.length) return undefined;
    this.#partial = undefined;
    return partial.bytes;
  }
}
