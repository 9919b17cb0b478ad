/**
 * One GET over HTTP/1.1 whose answer is read into the caller's own memory, a piece each time that one is asked for.
 *
 * For answers of many megabytes that only pass: `node:http` makes two buffers for each 64 KiB of them, reads no more in one
 * go, and takes three times the processor time.
 */
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { ChunkedBody } from "./chunked-body.ts";
import { type BodyLength, longestHead, readResponseHead, type ResponseHead } from "./response-head.ts";

/** Whom to ask for what. */
export interface PulledRequest {
  readonly at: NetConnectOpts;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What is read lies here, until more is asked for. */
  readonly memory: Buffer;
  /** Its reason is what the answer fails with. */
  readonly signal: AbortSignal;
}

/** Interim responses before the one that counts; all of them together are no longer than a head may be. */
const mostInterim = 32;

/** One, from its head on. */
export class PulledResponse implements Disposable {
  readonly #socket: Socket;
  readonly #memory: Buffer;
  readonly #signal: AbortSignal;
  #head: ResponseHead | undefined;
  #body: Body | undefined;
  /** Where it lies what was read and nobody has asked for. */
  #arrived: { readonly from: number; readonly end: number } | undefined;
  #isOver = false;
  #failure: { readonly reason: unknown } | undefined;
  #changed = Promise.withResolvers<void>();

  private constructor({ at, path, headers, memory, signal }: PulledRequest) {
    this.#memory = memory;
    this.#signal = signal;
    const callback = (count: number): boolean => {
      this.#arrived = { from: 0, end: count };
      this.#changed.resolve();
      // No more before this is used.
      return false;
    };
    const socket = connect({ ...at, onread: { buffer: memory, callback } });
    this.#socket = socket;
    socket.write(requestText(path, headers), "latin1");
    socket.on("error", (error) => {
      this.#fail(error);
    });
    for (const event of ["end", "close"])
      socket.once(event, () => {
        this.#isOver = true;
        this.#changed.resolve();
      });
    signal.addEventListener("abort", this.#abort, { once: true });
    if (signal.aborted) this.#abort();
  }

  /** Resolves with the head, which is not that of an interim response. @throws the signal's reason, or why there is none */
  static async open(request: PulledRequest): Promise<PulledResponse> {
    checkRequest(request);
    const response = new PulledResponse(request);
    try {
      await response.#readHead();
      return response;
    } catch (error) {
      response[Symbol.dispose]();
      throw error;
    }
  }

  get head(): ResponseHead {
    if (this.#head === undefined) throw new Error("there is no head yet");
    return this.#head;
  }

  /** What has come of the body, in the caller's memory; undefined after its end. @throws the signal's reason, or why it broke off */
  async next(): Promise<Buffer | undefined> {
    const body = (this.#body ??= bodyOf(this.head.body));
    for (;;) {
      if (body.isDone) return undefined;
      const arrived = await this.#read();
      if (arrived === undefined) {
        if (this.head.body.kind === "close") return undefined;
        throw new Error("the connection ended before the answer did");
      }
      const end = body.take(this.#memory, arrived.from, arrived.end);
      if (end > arrived.from) return this.#memory.subarray(arrived.from, end);
    }
  }

  /** Leave the rest. @param reason what `next` fails with from now on */
  destroy(reason: Error): void {
    this.#fail(reason);
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#abort);
    this.#socket.destroy();
  }

  readonly #abort = (): void => {
    this.#fail(this.#signal.reason);
    this.#socket.destroy();
  };

  #fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#changed.resolve();
  }

  async #readHead(): Promise<void> {
    let bytes: Buffer = Buffer.alloc(0);
    const interim = { count: 0, bytes: 0 };
    for (;;) {
      const arrived = await this.#read();
      if (arrived === undefined) throw new Error("the connection ended before there was an answer");
      const before = bytes.length;
      bytes = Buffer.concat([bytes, this.#memory.subarray(arrived.from, arrived.end)]);
      let head = readResponseHead(bytes);
      let taken = 0;
      // Interim responses (RFC 9110, 15.2) come before the one that counts.
      while (head !== undefined && head.status < 200) {
        if (head.status === 101) throw new Error("it answered 101");
        taken += head.length;
        interim.count += 1;
        interim.bytes += head.length;
        if (interim.count > mostInterim || interim.bytes > longestHead)
          throw new Error(
            `it sends more than ${mostInterim} interim responses, or ${longestHead} bytes of them`,
          );
        head = readResponseHead(bytes.subarray(taken));
      }
      if (head === undefined) {
        bytes = bytes.subarray(taken);
        continue;
      }
      this.#head = head;
      // What has come of the body lies where it was read to.
      this.#arrived = { from: taken + head.length - before, end: arrived.end };
      return;
    }
  }

  /** What was read; undefined after the end. */
  async #read(): Promise<{ readonly from: number; readonly end: number } | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.reason;
      const arrived = this.#arrived;
      this.#arrived = undefined;
      if (arrived !== undefined) {
        if (arrived.end > arrived.from) return arrived;
        continue;
      }
      if (this.#isOver) return undefined;
      this.#changed = Promise.withResolvers();
      this.#socket.resume();
      await this.#changed.promise;
    }
  }
}

/** Where a body ends. */
interface Body {
  readonly isDone: boolean;
  /** As ChunkedBody's. */
  readonly take: (bytes: Buffer, from: number, end: number) => number;
}

function bodyOf(length: BodyLength): Body {
  switch (length.kind) {
    case "chunked":
      return new ChunkedBody();
    case "close":
      return { isDone: false, take: (_bytes, _from, end) => end };
    case "bytes": {
      let left = length.bytes;
      return {
        get isDone() {
          return left === 0;
        },
        take: (_bytes, from, end) => {
          const count = Math.min(left, end - from);
          left -= count;
          return from + count;
        },
      };
    }
  }
}

/** @throws Error for what may not stand in a request */
function checkRequest({ path, headers }: PulledRequest): void {
  if (!/^\/[\x21-\x7e\x80-\xff]*$/.test(path)) throw new Error("its path may not stand in a request");
  for (const [name, value] of Object.entries(headers))
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw new Error(`the header ${name} may not stand in a request`);
}

function requestText(path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}
