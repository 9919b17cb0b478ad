/**
 * The messages that go out on one HTTP/2 stream.
 *
 * The first message of a turn of the event loop goes out at once, those that follow in the same turn together: a
 * burst of small ones is a few writes, and a single one does not wait.
 */
import type { Http2Stream } from "node:http2";

/** Bytes that may be on their way before a writer waits. */
const queueBytes = 65_536;

/** Messages up to this size are copied behind each other; larger ones go out as they are. */
const copiedBytes = 16_384;

/** Bytes that are copied behind each other at most. */
const runBytes = 65_536;

const prefixBytes = 5;

/** The writing side of a stream. Writing before there is one queues. */
export class Outbound {
  #stream: Http2Stream | undefined;
  #queue: Uint8Array[] = [];
  #pendingBytes = 0;
  #drained: PromiseWithResolvers<void> | undefined;
  #isTurnOpen = false;
  #isOver = false;
  #onFlushed: (() => void) | undefined;
  readonly #isCompressed: boolean;

  /** @param isCompressed what every message is, in the encoding that the call's head names */
  constructor(isCompressed = false) {
    this.#isCompressed = isCompressed;
  }

  /** Bytes that were written and that the transport has not taken yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Write to `stream` what is queued, and whatever comes. */
  attach(stream: Http2Stream): void {
    this.#stream = stream;
    this.#flush();
  }

  /** Queue a message. */
  enqueue(message: Uint8Array): void {
    if (this.#isOver) return;
    this.#pendingBytes += prefixBytes + message.length;
    this.#queue.push(message);
    if (this.#isTurnOpen || this.#stream === undefined) return;
    this.#flush();
    this.#isTurnOpen = true;
    setImmediate(() => {
      this.#isTurnOpen = false;
      this.#flush();
    });
  }

  /** Resolves when little enough is on its way, or the stream is gone. */
  drained(): Promise<void> {
    if (this.#pendingBytes <= queueBytes || this.#isOver) return Promise.resolve();
    this.#drained ??= Promise.withResolvers<void>();
    return this.#drained.promise;
  }

  /** Nothing more is written; half-closes the stream after what is queued. */
  end(): void {
    if (this.#isOver) return;
    const close = (): void => {
      this.#isOver = true;
      this.#stream?.end();
    };
    if (this.#stream === undefined) {
      this.#onFlushed = close;
      return;
    }
    this.#flush();
    close();
  }

  /** The stream is gone, and with it what is queued. */
  abandon(): void {
    this.#isOver = true;
    this.#queue = [];
    this.#pendingBytes = 0;
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #flush(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#isOver) return;
    if (this.#queue.length > 0) {
      const queue = this.#queue;
      this.#queue = [];
      stream.cork();
      for (const chunk of framed(queue, this.#isCompressed)) {
        const { length } = chunk;
        stream.write(chunk, () => {
          this.#sent(length);
        });
      }
      stream.uncork();
    }
    this.#onFlushed?.();
    this.#onFlushed = undefined;
  }

  #sent(bytes: number): void {
    if (this.#isOver && this.#pendingBytes === 0) return;
    this.#pendingBytes -= bytes;
    if (this.#pendingBytes > queueBytes) return;
    this.#drained?.resolve();
    this.#drained = undefined;
  }
}

/** Messages with their prefixes, in few pieces. */
export function* framed(
  messages: readonly Uint8Array[],
  isCompressed = false,
): Generator<Uint8Array, void, undefined> {
  const flag = isCompressed ? 1 : 0;
  let run: Uint8Array[] = [];
  let bytes = 0;
  for (const message of messages) {
    if (bytes > 0 && bytes + prefixBytes + message.length > runBytes) {
      yield joined(run, bytes, flag);
      run = [];
      bytes = 0;
    }
    if (message.length <= copiedBytes) {
      run.push(message);
      bytes += prefixBytes + message.length;
      continue;
    }
    if (bytes > 0) yield joined(run, bytes, flag);
    run = [];
    bytes = 0;
    yield prefixOf(message, flag);
    yield message;
  }
  if (bytes > 0) yield joined(run, bytes, flag);
}

function joined(messages: readonly Uint8Array[], bytes: number, flag: number): Buffer {
  const all = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const message of messages) {
    at = all.writeUInt8(flag, at);
    at = all.writeUInt32BE(message.length, at);
    all.set(message, at);
    at += message.length;
  }
  return all;
}

function prefixOf(message: Uint8Array, flag: number): Buffer {
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt8(flag);
  prefix.writeUInt32BE(message.length, 1);
  return prefix;
}
