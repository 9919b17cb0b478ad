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
}

/** What to do about a death. */
export type RestartDecision =
  { readonly kind: "restart"; readonly delayMs: number } | { readonly kind: "give-up" };

/** The agent's own policy. */
export const defaultRestartPolicy: RestartPolicy = {
  budget: 10,
  windowMs: 5 * 60_000,
  backoff: { initialMs: 200, multiplier: 2, maxMs: 15_000, jitter: 0.2 },
};

/**
 * @param deaths times of all deaths so far in milliseconds, the one to decide about last
 * @param random between 0 and 1
 */
export function decideRestart(
  policy: RestartPolicy,
  deaths: readonly number[],
  random: number,
): RestartDecision {
  const now = deaths.at(-1) ?? 0;
  const recent = deaths.filter((at) => now - at < policy.windowMs).length;
  if (recent > policy.budget) return { kind: "give-up" };
  return { kind: "restart", delayMs: recent <= 1 ? 0 : backoffDelayMs(policy.backoff, recent - 2, random) };
}
