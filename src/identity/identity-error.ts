/**
 * Why there is no fresh certificate, with what to do about it.
 */

/** Closed set of causes. */
export type IdentityErrorCode =
  | "TOKEN_MISSING"
  | "TOKEN_EXPIRED"
  | "ROOT_MISSING"
  | "CA_UNAVAILABLE"
  | "CA_UNTRUSTED"
  | "CA_UNAUTHENTICATED"
  | "CA_REJECTED"
  | "CERTIFICATE_INVALID";

/** A certificate could not be had. The message names the cause and the remedy. */
export class IdentityError extends Error {
  override readonly name = "IdentityError";
  readonly code: IdentityErrorCode;

  constructor(code: IdentityErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
