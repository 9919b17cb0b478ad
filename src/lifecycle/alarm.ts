/**
 * One timer for many that wait, for where a timer for each would cost more than what it waits for.
 */
import { Timer } from "./timer.ts";

/** Those that are due within so many milliseconds are woken together, at the end of them. */
const togetherMs = 10;

/** Wakes for the earliest of what it was told, and sleeps when nothing is waited for. It keeps no process alive. */
export class Alarm implements Disposable {
  readonly #wake: (now: number) => number;
  /** When the timer that runs ends; Infinity for none. */
  #at = Infinity;
  #timer: Timer | undefined;

  /**
   * @param wake does what is due at `now`, and says when it is to be called again: Infinity for not until somebody asks.
   * Times are those of `performance.now()`
   */
  constructor(wake: (now: number) => number) {
    this.#wake = wake;
  }

  /** Wake at this time, or a little after it; it may have been asked for earlier ones. */
  by(at: number): void {
    const rounded = Math.ceil(at / togetherMs) * togetherMs;
    if (rounded >= this.#at) return;
    this.#timer?.cancel();
    this.#at = rounded;
    this.#timer = new Timer(
      rounded - performance.now(),
      () => {
        this.#at = Infinity;
        const next = this.#wake(performance.now());
        if (next !== Infinity) this.by(next);
      },
      { isBackground: true },
    );
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#at = -Infinity;
  }
}
