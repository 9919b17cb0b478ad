/**
 * When the discovery server is tried again after a failure: at the agent's own pace, whoever opens a stream meanwhile,
 * and at once when a file is replaced that may have been the reason.
 */
import { type Backoff, backoffDelayMs } from "../../lifecycle/backoff.ts";
import { sleep } from "../../lifecycle/sleep.ts";

const redial: Backoff = { initialMs: 200, multiplier: 1.5, maxMs: 5_000, jitter: 0.25 };

/** Shared by all streams to one discovery server. */
export class DialPace {
  readonly #random: () => number;
  readonly #now: () => number;
  #failures = 0;
  #notBeforeMs = 0;
  /** Of those who wait; undefined where nobody does, as `reset` is for each response and an abort takes ten microseconds. */
  #early: AbortController | undefined;

  /**
   * @param random between 0 and 1
   * @param now the monotonic clock, in milliseconds
   */
  constructor(random: () => number = Math.random, now: () => number = () => performance.now()) {
    this.#random = random;
    this.#now = now;
  }

  /** Milliseconds until the next try. */
  get restMs(): number {
    return Math.max(0, this.#notBeforeMs - this.#now());
  }

  /** A try has brought no answer. */
  failed(): void {
    this.#notBeforeMs = this.#now() + backoffDelayMs(redial, this.#failures, this.#random());
    this.#failures += 1;
  }

  /** The server answers, or there is a reason to try at once. */
  reset(): void {
    this.#failures = 0;
    this.#notBeforeMs = 0;
    const early = this.#early;
    this.#early = undefined;
    early?.abort();
  }

  /** Resolves when it is time, or when `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    const { restMs } = this;
    if (restMs <= 0) return;
    this.#early ??= new AbortController();
    await sleep(restMs, AbortSignal.any([signal, this.#early.signal]));
  }
}
