/**
 * The latest value of something that changes, and a way to follow it.
 *
 * Every push between parts goes through a Watch. A slow reader never queues updates: it wakes to the newest
 * value, which is what configuration and certificates want.
 */

/** The reader's side of a Watch. */
export interface ReadonlyWatch<T> {
  readonly current: T;
  /** Yields the current value, then each later one, until `signal` aborts. */
  changes(signal: AbortSignal): AsyncGenerator<T, void, undefined>;
}

/** A value with readers; `set` wakes all of them. */
export class Watch<T> implements ReadonlyWatch<T> {
  #current: T;
  #version = 0;
  /** Wakes each reader that waits, once. */
  readonly #waiting = new Set<() => void>();

  constructor(initial: T) {
    this.#current = initial;
  }

  get current(): T {
    return this.#current;
  }

  set(value: T): void {
    this.#current = value;
    this.#version += 1;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  async *changes(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    // A promise for each wait: racing a long-lived one would leave a reaction behind at each update.
    let wake = (): void => undefined;
    const onAbort = (): void => {
      this.#waiting.delete(wake);
      wake();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      let seen = -1;
      while (!signal.aborted) {
        if (seen === this.#version) {
          await new Promise<void>((resolve) => {
            wake = resolve;
            this.#waiting.add(resolve);
          });
        } else {
          seen = this.#version;
          yield this.#current;
        }
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}
