/**
 * What a document may hold at any place, told apart.
 */

/** True for a mapping of names to values. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
