/**
 * Room for a number of things at once: the rest wait in the order in which they came, and of those only so many.
 */

/** What takes a slot gives it back. */
export class Slots {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #waiting: ((isTaken: true) => void)[] = [];
  #taken = 0;

  constructor(most: number, mostWaiting: number) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  /** Resolves with true once there is room, and with false at once where too many wait for that. */
  take(): Promise<boolean> {
    if (this.#taken < this.#most) {
      this.#taken += 1;
      return Promise.resolve(true);
    }
    if (this.#waiting.length >= this.#mostWaiting) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** The next one takes it. */
  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next(true);
  }
}
