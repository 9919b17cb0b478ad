/**
 * What the rest of the agent may know of the workload's identity.
 */
import type { DatedSkew } from "./clock-skew.ts";
import type { IdentityErrorCode } from "./identity-error.ts";
import type { TrustDomainNames } from "./trust-domains.ts";
import type { WorkloadSecret } from "./workload-secret.ts";

/** What keeps a new certificate from coming. */
export interface IdentityProblem {
  readonly code: IdentityErrorCode;
  /** Cause and remedy. */
  readonly message: string;
}

/** The secret in use, if any, and what keeps a newer one from coming, if anything. */
export interface IdentityState {
  readonly secret?: WorkloadSecret;
  readonly problem?: IdentityProblem;
  /** The trust domains that the source vouches for: that of the secret in use first. */
  readonly trustDomains?: TrustDomainNames;
  /** TRUST_DOMAIN, where the source has the workload in another trust domain. */
  readonly askedTrustDomain?: string;
  /** When the secret in use came. */
  readonly receivedAt?: Date;
  /** Where the secret in use came from, for people: `the CA istiod:15012`. */
  readonly source?: string;
  /** This clock against the CA's, as its last answer proved it and this clock was set since. */
  readonly clockSkew?: DatedSkew;
  /** When the next one is asked for; undefined where somebody else decides. */
  readonly nextRotation?: Date;
}

/** Share of a lifetime below which what is left of it is too little to serve on without a word. */
const scarceShare = 0.1;

/**
 * Why this identity is no reason to call the agent ready: none at all, expired, or so near its end with no newer
 * one in sight that peers will soon refuse it. Undefined when it is good.
 */
export function identityObstacle({ secret, problem }: IdentityState, now: Date): string | undefined {
  const cause = problem === undefined ? "" : `: ${problem.message}`;
  if (secret === undefined) return `there is no workload certificate${cause}`;
  const restMs = secret.notAfter.getTime() - now.getTime();
  if (restMs <= 0) return `the workload certificate expired at ${secret.notAfter.toISOString()}${cause}`;
  if (problem === undefined) return undefined;
  const lifeMs = secret.notAfter.getTime() - secret.notBefore.getTime();
  if (restMs > lifeMs * scarceShare) return undefined;
  return `the workload certificate expires in ${Math.ceil(restMs / 1_000)} s and is not renewed${cause}`;
}
