/**
 * What a configuration has that cannot be evaluated without its Envoy.
 */

/** The message says what, and what follows. */
export class UnevaluatedError extends Error {
  override readonly name = "UnevaluatedError";
}
