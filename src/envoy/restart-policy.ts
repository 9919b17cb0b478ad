/**
 * When to start Envoy again after it died.
 *
 * The first restart is immediate, later ones back off, and a budget in a sliding window ends the attempts: a
 * crash loop must reach the kubelet, which is why Istio gave up restarts inside the agent.
 */
import { type Backoff, backoffDelayMs } from "../lifecycle/backoff.ts";

/** Limits of restarting. */
export interface RestartPolicy {
  /** Restarts within `windowMs` before the agent gives up. */
  readonly budget: number;
  /** Length of the sliding window, in milliseconds. */
  readonly windowMs: number;
  /** Delay of the second and later restarts in the window. */
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

/** A death and how long the Envoy had been proven to serve before it; both in milliseconds. */
export interface Death {
  readonly at: number;
  readonly servedMs: number;
}

/** The deaths that still count at the time of the last one. */
export function deathsThatCount(policy: RestartPolicy, deaths: readonly Death[]): readonly Death[] {
  const now = deaths.at(-1)?.at ?? 0;
  const stable = deaths.findLastIndex(({ servedMs }) => servedMs >= policy.stableAfterMs);
  return deaths.slice(Math.max(0, stable)).filter(({ at }) => now - at < policy.windowMs);
}

/**
 * @param deaths all deaths that may count, the one to decide about last
 * @param random between 0 and 1
 */
export function decideRestart(
  policy: RestartPolicy,
  deaths: readonly Death[],
  random: number,
): RestartDecision {
  const recent = deathsThatCount(policy, deaths).length;
  if (recent > policy.budget) return { kind: "give-up" };
  return { kind: "restart", delayMs: recent <= 1 ? 0 : backoffDelayMs(policy.backoff, recent - 2, random) };
}
