/**
 * The response that is on its way to Envoy: none other is read until it has been taken.
 */

/** One at a time. */
export class Delivery {
  #type: string | undefined;
  #count = 0;
  /** Which one was seen at the last look, and when it was seen first, on the monotonic clock. */
  #seen = { count: 0, at: 0 };
  #told = 0;

  /** True while Envoy has still to take it. */
  get isUnderWay(): boolean {
    return this.#type !== undefined;
  }

  begins(typeUrl: string): void {
    this.#type = typeUrl;
    this.#count += 1;
  }

  ends(): void {
    this.#type = undefined;
  }

  /** The type of one that Envoy has not taken for `limitMs`, once for each. To be asked every now and then. */
  stuck(now: number, limitMs: number): string | undefined {
    if (this.#type === undefined) return undefined;
    if (this.#seen.count !== this.#count) this.#seen = { count: this.#count, at: now };
    if (now - this.#seen.at < limitMs || this.#told === this.#count) return undefined;
    this.#told = this.#count;
    return this.#type;
  }
}
