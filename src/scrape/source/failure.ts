/** Why a source has given nothing, or not all of it. */
export type FailureCode =
  /** Nobody answers. */
  | "unavailable"
  /** It took longer than the scraper waits. */
  | "timeout"
  /** It answered with another status than 200. */
  | "status"
  /** It sends elsewhere, or in circles. */
  | "redirect"
  /** It speaks no text. */
  | "format"
  /** It broke off. */
  | "torn"
  /** It is longer than a source may be. */
  | "too_large"
  /** What it writes is no exposition. */
  | "invalid";

/** A source failed. */
export class SourceFailure extends Error {
  override readonly name = "SourceFailure";
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
