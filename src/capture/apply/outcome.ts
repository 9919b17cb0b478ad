/** How applying or cleaning went. */

/** Why rules could not be changed. */
export type CaptureFailureCode =
  /** No program that changes rules. */
  | "NO_BINARY"
  /** NET_ADMIN or NET_RAW is missing. */
  | "NO_PERMISSION"
  /** The program refused: a rule, a table or a route that this kernel does not know. */
  | "REFUSED"
  /** Somebody else uses the mark or the routing table of TPROXY. */
  | "ROUTE_TAKEN"
  /** IPv6 is switched off where IPv6 has to be captured. */
  | "NO_IPV6"
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

/** Words of programs, and what they mean. */
const meanings: readonly (readonly [CaptureFailureCode, RegExp])[] = [
  ["NO_PERMISSION", /permission denied|operation not permitted|must be root/i],
  ["NO_IPV6", /IPv6 is disabled/],
  ["ROUTE_TAKEN", /\bip: .*File exists/],
];

/** What a program's message means. */
export function failureCode(message: string): CaptureFailureCode {
  for (const [code, pattern] of meanings) if (pattern.test(message)) return code;
  return "REFUSED";
}

/** A failure that has changed nothing. */
export function failure(code: CaptureFailureCode, message: string): CaptureFailure {
  return { kind: "failed", code, message, left: [] };
}
