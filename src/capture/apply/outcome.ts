/** How applying or cleaning went. */

/** Why rules could not be changed. */
export type CaptureFailureCode =
  /** No program that changes rules. */
  | "NO_BINARY"
  /** NET_ADMIN or NET_RAW is missing. */
  | "NO_PERMISSION"
  /** The program refused: a rule, a table or a route that this kernel does not know. */
  | "REFUSED"
  /** Somebody else had it in hand for too long. */
  | "BUSY";

/** A failure, and how everything was left. */
export interface CaptureFailure {
  readonly kind: "failed";
  readonly code: CaptureFailureCode;
  readonly message: string;
  /** What could not be put back as it was; empty when everything is as before. */
  readonly left: readonly string[];
}

/** Rules are there, or not. */
export type CaptureOutcome =
  | { readonly kind: "unchanged" }
  | {
      readonly kind: "changed";
      /** What has changed, for people. */
      readonly what: readonly string[];
    }
  | CaptureFailure;

/** What a program's message means. */
export function failureCode(message: string): CaptureFailureCode {
  return /permission denied|operation not permitted|must be root/i.test(message)
    ? "NO_PERMISSION"
    : "REFUSED";
}

/** A failure that has changed nothing. */
export function failure(code: CaptureFailureCode, message: string): CaptureFailure {
  return { kind: "failed", code, message, left: [] };
}
