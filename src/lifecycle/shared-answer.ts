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
  #underWay: Promise<T> | undefined;

  /**
   * @param maxAgeMs counted from when the question was asked, in milliseconds
   * @param now the monotonic clock, in milliseconds
   */
  constructor(ask: () => Promise<T>, maxAgeMs: number, now: () => number = () => performance.now()) {
    this.#ask = ask;
    this.#maxAgeMs = maxAgeMs;
    this.#now = now;
  }

  /**
   * Rejects as the question does, whose failure is kept for as long as an answer.
   *
   * @param since a moment of the same clock: an answer to a question that was asked before it is of no use
   */
  get(since: number = Number.NEGATIVE_INFINITY): Promise<T> {
    const isFresh = this.#underWay !== undefined || this.#now() - this.#askedAt < this.#maxAgeMs;
    if (this.#answer !== undefined && isFresh && this.#askedAt >= since) return this.#answer;
    this.#askedAt = this.#now();
    const answer = this.#ask().finally(() => {
      if (this.#underWay === answer) this.#underWay = undefined;
    });
    this.#underWay = answer;
    this.#answer = answer;
    return answer;
  }
}
