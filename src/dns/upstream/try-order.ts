/**
 * Which upstream is asked when, as a function of values.
 */
import type { ResolverConfig, Upstream } from "./resolv-conf.ts";

/** A plan of tries, one after the other. */
export interface TryPlan {
  readonly upstreams: readonly Upstream[];
  /** From one try to the next while nothing has come, in milliseconds. An answer to an earlier one still counts. */
  readonly everyMs: number;
}

/** Shortest time that an upstream is left alone, in milliseconds. */
const leastMs = 250;

/**
 * Servers in the file's order, once for each attempt; those that have just not answered come last.
 *
 * Together the tries take as long as the client waits at most: who asked the first server alone for all of that would never
 * get to the second.
 *
 * @param turn grows by one with each query: `rotate` begins with another server each time
 */
export function planTries(
  { servers, options }: Pick<ResolverConfig, "servers" | "options">,
  isSuspect: (upstream: Upstream) => boolean,
  turn: number,
  withinMs: number,
): TryPlan {
  const start = options.rotate && servers.length > 0 ? turn % servers.length : 0;
  const rotated = [...servers.slice(start), ...servers.slice(0, start)];
  const order = [...rotated.filter((one) => !isSuspect(one)), ...rotated.filter(isSuspect)];
  const upstreams = Array.from({ length: options.attempts }, () => order).flat();
  const share = withinMs / Math.max(1, upstreams.length);
  return { upstreams, everyMs: Math.max(leastMs, Math.min(options.timeoutMs ?? share, share)) };
}
