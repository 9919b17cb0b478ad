/**
 * When to replace a workload certificate: pure functions of its lifetime and the clock.
 */
import type { RotationPolicy } from "./options.ts";

/** A certificate's validity. */
export interface Lifetime {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * Milliseconds from `receivedAt` until rotation is due; zero when it already is.
 *
 * CAs set notBefore back against clock skew, two minutes in Istio. The usable lifetime therefore starts at the
 * later of notBefore and the receipt: a 30-second certificate would be overdue on arrival otherwise.
 *
 * @param random between 0 and 1, drawn once per certificate
 */
export function rotationDelayMs(
  lifetime: Lifetime,
  policy: RotationPolicy,
  receivedAt: Date,
  random: number,
): number {
  const start = Math.max(lifetime.notBefore.getTime(), receivedAt.getTime());
  const total = lifetime.notAfter.getTime() - start;
  const jitter = policy.gracePeriodJitter * (2 * random - 1);
  const ratio = Math.min(Math.max(policy.gracePeriodRatio + jitter, 0), 1);
  return Math.max(0, lifetime.notAfter.getTime() - total * ratio - receivedAt.getTime());
}
