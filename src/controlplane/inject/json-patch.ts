/** The difference between two values as a JSON patch (RFC 6902). */
import { isDeepStrictEqual } from "node:util";
import { createPatch, type Operation } from "rfc6902";

/** Of longer lists it is not looked for which elements are the same: that takes the square of their number. */
const longestCompared = 64;

/** What makes `to` of `from`. */
export function jsonPatch(from: unknown, to: unknown): readonly Operation[] {
  return createPatch(from, to, (input: unknown, output: unknown, path) => {
    if (isDeepStrictEqual(input, output)) return [];
    if (!Array.isArray(input) || !Array.isArray(output)) return undefined;
    if (Math.max(input.length, output.length) <= longestCompared) return undefined;
    return [{ op: "replace", path: path.toString(), value: output as unknown[] }];
  });
}
