/**
 * Exponential back-off as a value.
 */

/** How long to wait between tries. */
export interface Backoff {
  /** Delay before the first retry, in milliseconds. */
  readonly initialMs: number;
  /** Factor from one delay to the next; 2 doubles. */
  readonly multiplier: number;
  /** Longest delay, in milliseconds, before jitter. */
  readonly maxMs: number;
  /** Share of the delay that varies at random either way, 0 to 1. */
  readonly jitter: number;
}

/**
 * Milliseconds to wait after failure number `attempt` (0 is the first).
 *
 * @param random between 0 and 1
 */
export function backoffDelayMs(backoff: Backoff, attempt: number, random: number): number {
  const delay = Math.min(backoff.initialMs * backoff.multiplier ** attempt, backoff.maxMs);
  return Math.round(delay * (1 + backoff.jitter * (2 * random - 1)));
}
