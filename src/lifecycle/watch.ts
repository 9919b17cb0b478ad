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
  #next = Promise.withResolvers<void>();

  constructor(initial: T) {
    this.#current = initial;
  }

  get current(): T {
    return this.#current;
  }

  set(value: T): void {
    this.#current = value;
    this.#version += 1;
    this.#wake();
  }

  async *changes(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    // An abort wakes every reader; each compares versions and sleeps on. Racing one long-lived promise per
    // reader instead would leave a reaction behind at each update.
    const wake = (): void => {
      this.#wake();
    };
    signal.addEventListener("abort", wake, { once: true });
    try {
      let seen = -1;
      while (!signal.aborted) {
        if (seen === this.#version) {
          await this.#next.promise;
        } else {
          seen = this.#version;
          yield this.#current;
        }
      }
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }

  #wake(): void {
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers<void>();
    resolve();
  }
}
