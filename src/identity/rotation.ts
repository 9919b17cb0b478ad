/**
 * When to replace a workload certificate, and when to ask again after a failure: pure functions of lifetimes.
 */
import { type Backoff, backoffDelayMs } from "../lifecycle/backoff.ts";
import type { RotationPolicy } from "./options.ts";

/** A certificate's validity. */
export interface Lifetime {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Istio's back-off between requests to the CA. */
const retryBackoff: Backoff = { initialMs: 500, multiplier: 1.5, maxMs: 60_000, jitter: 0.5 };

/** Shortest time from a certificate to the request for the next one, in milliseconds. */
const leastRotationMs = 500;

/** The same as a share of what is left of its life. */
const leastShareOfLife = 0.01;

/** How long a certificate is used at least when all before it were replaced too soon, as a share of its life. */
const largestPacedShare = 0.5;

/** The share of what is left of a lifetime that one wait may use up. */
const largestShareOfRest = 0.25;

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

/**
 * A delay until rotation that no setting and no lifetime makes a storm of requests.
 *
 * @param delayMs as the policy wants it
 * @param restMs what is left of the certificate's life
 * @param hasty how many certificates in a row were wanted sooner than this allows
 */
export function pacedRotation(
  delayMs: number,
  restMs: number,
  hasty: number,
): { readonly delayMs: number; readonly isHasty: boolean } {
  const least = Math.max(leastRotationMs, restMs * leastShareOfLife);
  if (delayMs >= least) return { delayMs, isHasty: false };
  const most = Math.max(least, restMs * largestPacedShare);
  return { delayMs: Math.min(least * 2 ** hasty, most), isHasty: true };
}

/** Longest random wait for a new certificate after a change of the mesh's roots, in milliseconds. */
const longestTrustDelayMs = 10_000;

/** A root that takes the place of another comes, is alone, and may be corrected. */
const plannedChanges = 3;

/** The same when roots go on changing. */
const trustBackoff: Backoff = { initialMs: longestTrustDelayMs, multiplier: 2, maxMs: 600_000, jitter: 0 };

/** Roots that have not changed for so long have settled, in milliseconds. */
export const trustSettledMs = trustBackoff.maxMs;

/**
 * Milliseconds from a change of the mesh's roots to the request for a certificate of the new ones: not the whole
 * fleet at once, and not for each of many changes.
 *
 * @param changes in a row before this one
 * @param random between 0 and 1
 */
export function trustDelayMs(changes: number, random: number): number {
  const tooMany = Math.max(0, changes - plannedChanges);
  const longest = backoffDelayMs(trustBackoff, tooMany, random);
  return tooMany === 0 ? longest * random : longest * (0.5 + 0.5 * random);
}

/**
 * Milliseconds to wait after the failure number `failures` (1 is the first). Near the end of a lifetime the
 * waits get shorter, so that several tries fit into what is left.
 *
 * @param notAfter end of the certificate in use; undefined when there is none
 * @param random between 0 and 1
 */
export function retryDelayMs(
  failures: number,
  notAfter: Date | undefined,
  now: Date,
  random: number,
): number {
  const delay = backoffDelayMs(retryBackoff, failures - 1, random);
  const restMs = notAfter === undefined ? 0 : notAfter.getTime() - now.getTime();
  if (restMs <= 0) return delay;
  return Math.min(delay, Math.max(retryBackoff.initialMs, restMs * largestShareOfRest));
}
