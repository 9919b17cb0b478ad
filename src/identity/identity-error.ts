/**
 * Why there is no fresh certificate, with what to do about it.
 */

/** Closed set of causes. */
export const identityErrorCodes = [
  /** The file of the token is not there, or empty. */
  "TOKEN_MISSING",
  /** The token's `exp` has passed; it is not sent. */
  "TOKEN_EXPIRED",
  /** The file of the CA's root is not there, or holds no certificate. */
  "ROOT_MISSING",
  /** No connection to the CA, or no answer in time. */
  "CA_UNAVAILABLE",
  /** The CA's name leads to no address. */
  "CA_UNRESOLVED",
  /** The CA's own certificate does not verify. */
  "CA_UNTRUSTED",
  /** The CA does not accept the token. */
  "CA_UNAUTHENTICATED",
  /** The CA refuses the request. */
  "CA_REJECTED",
  /** The CA's answer cannot be used. */
  "CERTIFICATE_INVALID",
  /** The CA's clock is ahead of ours: the certificate is held until it is valid. */
  "CERTIFICATE_NOT_YET_VALID",
  /** Mounted files are not there, or not readable. */
  "FILES_MISSING",
  /** The Workload API does not answer. */
  "WORKLOAD_API_UNAVAILABLE",
  /** The Workload API has no identity for this workload, or took it back. */
  "WORKLOAD_API_DENIED",
  /** What the Workload API says cannot be used. */
  "WORKLOAD_API_INVALID",
  /** Somebody else's SDS server does not answer. */
  "SDS_UNAVAILABLE",
  /** What it says cannot be used. */
  "SDS_INVALID",
  /** A mistake in the agent itself. */
  "INTERNAL",
] as const;

export type IdentityErrorCode = (typeof identityErrorCodes)[number];

/** A certificate could not be had. The message names the cause and the remedy. */
export class IdentityError extends Error {
  override readonly name = "IdentityError";
  readonly code: IdentityErrorCode;

  constructor(code: IdentityErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
