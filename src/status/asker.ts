/**
 * Whoever waits for an answer of the status port; looked after only where a route wants to know.
 *
 * A connection whose other side says no more looks the same whether that side has hung up or waits for its answer, as
 * `nc -N` does: only what is sent to it brings to light which. So it is sent what means nothing: interim responses
 * (RFC 9110, 15.2), and once the answer has begun zeros in front of the size of its next chunk (RFC 9112, 7.1). Where
 * nobody is left, the kernel there resets, which is seen with the next one.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Timer } from "../lifecycle/timer.ts";

/** When it is asked for, in milliseconds since the last that it has said: nearly all answers are there before. */
const askAfterMs = [1_000, 1_500, 3_000, 10_000] as const;

/** Of one request. */
export class Asker {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #left: AbortController | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
  }

  /** False while nobody wants to know. */
  get isGone(): boolean {
    return this.#left?.signal.aborted === true;
  }

  /** Aborts when nobody waits for the answer any more. */
  gone(): AbortSignal {
    if (this.#left === undefined) {
      const left = new AbortController();
      this.#left = left;
      if (this.#response.closed) left.abort();
      else this.#watch(left);
    }
    return this.#left.signal;
  }

  #watch(left: AbortController): void {
    const { socket } = this.#request;
    const timers: Timer[] = [];
    const ask = (): void => {
      for (const ms of askAfterMs)
        timers.push(
          new Timer(
            ms,
            () => {
              this.#ask();
            },
            { isBackground: true },
          ),
        );
    };
    socket.once("end", ask);
    if (socket.readableEnded) ask();
    // The connection outlives the answer, and must not keep what belongs to it.
    this.#response.once("close", () => {
      socket.off("end", ask);
      for (const timer of timers) timer.cancel();
      left.abort();
    });
  }

  #ask(): void {
    const response = this.#response;
    const { socket, httpVersion } = this.#request;
    if (!response.headersSent) {
      // Older clients know no interim response.
      if (httpVersion !== "1.0") response.writeProcessing();
      return;
    }
    response.flushHeaders();
    // What has not left yet asks as well.
    if (response.chunkedEncoding && !response.writableEnded && socket.writableLength === 0) socket.write("0");
  }
}
