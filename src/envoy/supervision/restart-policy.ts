/**
 * When to start Envoy again after it died.
 *
 * What had served is started again at once, always: each moment without it is an outage. What dies before it serves
 * backs off, and a budget in a sliding window ends the attempts of both: a crash loop must reach the kubelet, which is
 * why Istio gave up restarts inside the agent.
 */
import { type Backoff, backoffDelayMs } from "../../lifecycle/backoff.ts";

/** Limits of restarting. */
export interface RestartPolicy {
  /** Restarts within `windowMs` before the agent gives up. */
  readonly budget: number;
  /** Length of the sliding window, in milliseconds. */
  readonly windowMs: number;
  /** Delays of what has died twice or more in a row before it served. */
  readonly backoff: Backoff;
  /** An Envoy that has served this long, in milliseconds, makes the deaths before it count no more. */
  readonly stableAfterMs: number;
}

/** What to do about a death. */
export type RestartDecision =
  { readonly kind: "restart"; readonly delayMs: number } | { readonly kind: "give-up" };

/** The agent's own policy. */
export const defaultRestartPolicy: RestartPolicy = {
  budget: 10,
  windowMs: 5 * 60_000,
  backoff: { initialMs: 200, multiplier: 2, maxMs: 15_000, jitter: 0.2 },
  stableAfterMs: 60_000,
};

/** A death; times in milliseconds. */
export interface Death {
  readonly at: number;
  /** How long the Envoy had been proven to serve; undefined for one that never was. */
  readonly servedMs: number | undefined;
  /** Fingerprint of what it was started from. */
  readonly launch: string;
}

/** The deaths that still count at the time of the last one. */
export function deathsThatCount(policy: RestartPolicy, deaths: readonly Death[]): readonly Death[] {
  const now = deaths.at(-1)?.at ?? 0;
  const stable = deaths.findLastIndex(({ servedMs = 0 }) => servedMs >= policy.stableAfterMs);
  return deaths.slice(Math.max(0, stable)).filter(({ at }) => now - at < policy.windowMs);
}

/**
 * @param deaths all deaths that may count, the one to decide about last
 * @param next fingerprint of what is to be started: another one than that which died has failed nothing
 * @param random between 0 and 1
 */
export function decideRestart(
  policy: RestartPolicy,
  deaths: readonly Death[],
  next: string,
  random: number,
): RestartDecision {
  const recent = deathsThatCount(policy, deaths);
  if (recent.length > policy.budget) return { kind: "give-up" };
  const own = recent.filter(({ launch }) => launch === next);
  const failures = own.length - 1 - own.findLastIndex(({ servedMs }) => servedMs !== undefined);
  return {
    kind: "restart",
    delayMs: failures <= 1 ? 0 : backoffDelayMs(policy.backoff, failures - 2, random),
  };
}
