/**
 * An answer for all who ask at about the same time: however many they are, the question is asked no more often than its
 * answers grow old.
 */

/** Who asks while the question is under way, or within the age that an answer may have, gets the same one. */
export class SharedAnswer<T> {
  readonly #ask: () => Promise<T>;
  readonly #maxAgeMs: number;
  readonly #now: () => number;
  #askedAt = Number.NEGATIVE_INFINITY;
  #answer: Promise<T> | undefined;
  #isUnderWay = false;

  /**
   * @param maxAgeMs counted from when the question was asked, in milliseconds
   * @param now the monotonic clock, in milliseconds
   */
  constructor(ask: () => Promise<T>, maxAgeMs: number, now: () => number = () => performance.now()) {
    this.#ask = ask;
    this.#maxAgeMs = maxAgeMs;
    this.#now = now;
  }

  /** Rejects as the question does, whose failure is kept for as long as an answer. */
  get(): Promise<T> {
    const isFresh = this.#isUnderWay || this.#now() - this.#askedAt < this.#maxAgeMs;
    if (this.#answer !== undefined && isFresh) return this.#answer;
    this.#askedAt = this.#now();
    this.#isUnderWay = true;
    this.#answer = this.#ask().finally(() => {
      this.#isUnderWay = false;
    });
    return this.#answer;
  }
}
