/**
 * Short pieces of work of many, one after the other: when a thousand have something to do at once, whoever asks for
 * something else waits for one turn of the event loop, not for all thousand.
 */

/** Work in one turn of the event loop, in milliseconds. */
const turnMs = 10;

/** Does work in the order in which it came, and lets the event loop turn in between. */
export class Turns {
  readonly #now: () => number;
  #waiting: (() => void)[] = [];
  #isScheduled = false;

  /** @param now in milliseconds, from any moment on */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** How much waits for its turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Have work done in its turn, never at once. Resolves and rejects as the work does. */
  run<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(work());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
      this.#schedule();
    });
  }

  /** Have long work done that stops now and then: after each turn it waits for its next one behind all others. */
  async steps<Result>(work: Generator<void, Result>): Promise<Result> {
    for (;;) {
      const last = await this.run(() => {
        const endsAt = this.#now() + turnMs;
        for (;;) {
          const step = work.next();
          if (step.done === true || this.#now() >= endsAt) return step;
        }
      });
      if (last.done === true) return last.value;
    }
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    const waiting = this.#waiting;
    const endsAt = this.#now() + turnMs;
    let done = 0;
    // At least one: a clock that jumps must not stop all work.
    do waiting[done++]?.();
    while (done < waiting.length && this.#now() < endsAt);
    this.#waiting = waiting.slice(done);
    if (this.#waiting.length > 0) this.#schedule();
  }
}
