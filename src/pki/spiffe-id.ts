/**
 * SPIFFE IDs, `spiffe://<trust domain>/<path>` (SPIFFE-ID standard, section 2).
 *
 * An ID is compared as text everywhere, so a name that could be read as two of them must never come into one.
 */

/** A SPIFFE ID in its parts. */
export interface SpiffeId {
  readonly trustDomain: string;
  /** With its leading slash; empty for the trust domain's own ID. */
  readonly path: string;
}

const maxIdBytes = 2_048;
const maxTrustDomainBytes = 255;

const idForm = /^spiffe:\/\/(?<trustDomain>[a-z0-9._-]{1,255})(?<path>(?:\/[A-Za-z0-9._-]+)*)$/;
const dots = /(?:^|\/)\.{1,2}(?:\/|$)/;

/** Undefined for everything that the standard does not allow. */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  if (text.length > maxIdBytes) return undefined;
  // `$` takes no newline before the end in JavaScript, so that nothing may follow.
  const { trustDomain, path } = idForm.exec(text)?.groups ?? {};
  if (trustDomain === undefined || path === undefined || dots.test(path)) return undefined;
  return { trustDomain, path };
}

/** The trust domain of a SPIFFE ID; empty when it is none. */
export function trustDomainOf(spiffeId: string): string {
  return parseSpiffeId(spiffeId)?.trustDomain ?? "";
}

/** Why a name cannot be a trust domain's; undefined when it can. */
export function trustDomainProblem(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name.length > maxTrustDomainBytes) return `is longer than ${maxTrustDomainBytes} bytes`;
  if (/^[a-z0-9._-]+$/.test(name)) return undefined;
  return "may have lower case letters, digits, dots, dashes and underscores only";
}

/**
 * True for the same workload in the same trust domain or in another: who signs has the last word on that name.
 *
 * @param asked the ID that was asked for; its trust domain need not be one that the standard allows
 */
export function isSameWorkload(asked: string, received: string): boolean {
  if (asked === received) return true;
  const path = parseSpiffeId(received)?.path;
  return path !== undefined && path !== "" && path === asked.replace(/^spiffe:\/\/[^/]*/, "");
}

/** `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`, Istio's ID of a workload. */
export function workloadId(trustDomain: string, namespace: string, serviceAccount: string): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}
