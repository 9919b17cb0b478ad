/**
 * Which upstream is asked when, as a function of values.
 */
import type { ResolverOptions } from "./resolv-conf.ts";

/** A plan of tries, one after the other. */
export interface TryPlan<Server> {
  readonly servers: readonly Server[];
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
 * @param start the server that the order begins with: `rotate` takes another each time
 */
export function planTries<Server>(
  { servers, options }: TryOptions<Server>,
  isSuspect: (server: Server) => boolean,
  start: number,
  withinMs: number,
): TryPlan<Server> {
  const rotated = [...servers.slice(start), ...servers.slice(0, start)];
  const order = [...rotated.filter((one) => !isSuspect(one)), ...rotated.filter((one) => isSuspect(one))];
  const tries = Array.from({ length: options.attempts }, () => order).flat();
  const share = withinMs / Math.max(1, tries.length);
  return { servers: tries, everyMs: Math.max(leastMs, Math.min(options.timeoutMs ?? share, share)) };
}

/** Who there is, and what resolv.conf says of how often and how long. */
export interface TryOptions<Server> {
  readonly servers: readonly Server[];
  readonly options: Pick<ResolverOptions, "attempts" | "timeoutMs">;
}
