/** A response as the place that a body is written to, which says when what was written has left. */
import type { ServerResponse } from "node:http";
import type { BodyWriter } from "./contract/route.ts";

/** Of one response. */
export class ResponseBody implements BodyWriter, Disposable {
  readonly #response: ServerResponse;
  readonly #signal: AbortSignal;
  readonly #gone = new AbortController();
  #fail: (() => void) | undefined;

  /** @param signal cuts the response off */
  constructor(response: ServerResponse, signal: AbortSignal) {
    this.#response = response;
    this.#signal = signal;
    if (response.destroyed || response.closed) this.#close();
    response.once("close", this.#close);
    signal.addEventListener("abort", this.#cutOff, { once: true });
    if (signal.aborted) this.#cutOff();
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  readonly write = async (pieces: readonly Uint8Array[]): Promise<void> => {
    if (this.#gone.signal.aborted) throw nobodyTakes();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#fail = () => {
      reject(nobodyTakes());
    };
    for (const [index, piece] of pieces.entries())
      this.#response.write(
        piece,
        // What fails does so before the response is closed.
        index < pieces.length - 1 ? undefined : (error) => (error ? this.#close() : resolve()),
      );
    if (pieces.length === 0) resolve();
    await promise;
  };

  [Symbol.dispose](): void {
    this.#response.off("close", this.#close);
    this.#signal.removeEventListener("abort", this.#cutOff);
  }

  readonly #cutOff = (): void => {
    this.#response.destroy();
    this.#close();
  };

  readonly #close = (): void => {
    this.#gone.abort();
    this.#fail?.();
  };
}

function nobodyTakes(): Error {
  return new Error("nobody takes the answer any more");
}
