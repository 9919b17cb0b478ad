/**
 * Tries again what may fail, with back-off, until it succeeds or is asked to stop.
 */
import { type Backoff, backoffDelayMs } from "./backoff.ts";
import { sleep } from "./sleep.ts";

/** What a retried operation reports on each failure, before the wait. */
export interface RetryFailure {
  readonly error: unknown;
  /** 1 for the first failure. */
  readonly failures: number;
  readonly delayMs: number;
}

/** How to retry. */
export interface RetryOptions {
  readonly backoff: Backoff;
  readonly signal: AbortSignal;
  /** Called on each failure: the place for the log line and the metric. */
  readonly onFailure: (failure: RetryFailure) => void;
  /** True for an error that no further try can mend; it is thrown at once. */
  readonly isFinal?: (error: unknown) => boolean;
}

/**
 * Run `operation` until it succeeds.
 *
 * @throws the signal's reason when it aborts, or an error for which `isFinal` holds
 */
export async function retrying<T>(operation: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    options.signal.throwIfAborted();
    try {
      return await operation();
    } catch (error) {
      if (options.signal.aborted || options.isFinal?.(error) === true) throw error;
      const delayMs = backoffDelayMs(options.backoff, failures - 1, Math.random());
      options.onFailure({ error, failures, delayMs });
      await sleep(delayMs, options.signal);
    }
  }
}
