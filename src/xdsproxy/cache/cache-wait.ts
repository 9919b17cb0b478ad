/**
 * How long an Envoy without configuration waits for the control plane before it is served from the cache.
 */

/** What the wait is decided from. */
export interface CacheWaitFacts {
  /** How long the control plane may be gone, in milliseconds: `--xdsCacheAfter`. */
  readonly cacheAfterMs: number;
  /** For how long no connection has come about, in milliseconds; 0 when the last one did. */
  readonly unreachableForMs: number;
  /** An Envoy of this agent has served with what is in the cache, and none serves now. */
  readonly isSuccessor: boolean;
}

/** Envoy's first requests come together: only then it is seen whether it has a configuration. */
const leastMs = 100;

/** An Envoy that comes after one that has died is an outage for as long as it waits. */
const successorMs = 250;

/** The wait in milliseconds. */
export function cacheWaitMs({ cacheAfterMs, unreachableForMs, isSuccessor }: CacheWaitFacts): number {
  const patienceMs = isSuccessor ? Math.min(cacheAfterMs, successorMs) : cacheAfterMs;
  return Math.max(leastMs, patienceMs - unreachableForMs);
}
