/**
 * JSON from outside, within bounds: what is read may be walked and printed without a look at the stack.
 */
import {
  depthFault,
  type DocumentLimits,
  partsFault,
  type ReadDocument,
  refused,
  sizeFault,
} from "./limits.ts";

/** Text in quotes, and whatever else is no bracket. */
const notBrackets = /"(?:[^"\\]+|\\.)*"?|[^[\]{}"]+/gs;

/** What stands between the parts. */
const notSigns = /"(?:[^"\\]+|\\.)*"?|[^[{,"]+/gs;

/** Never throws. */
export function readJson(text: string, limits: DocumentLimits): ReadDocument {
  const size = sizeFault(text, limits);
  if (size !== undefined) return refused(size);
  if (jsonDepth(text) > limits.maxDepth) return refused(depthFault(limits));
  if (hasTooManyParts(text, limits)) return refused(partsFault(limits));
  try {
    return { kind: "read", value: JSON.parse(text) as unknown };
  } catch {
    return refused("is not JSON");
  }
}

/** Each mapping and list has a bracket, and what follows another part a comma; only a few keys and scalars have neither. */
function hasTooManyParts(text: string, { maxParts }: DocumentLimits): boolean {
  return text.length > maxParts && text.replace(notSigns, "").length > maxParts;
}

/** The value, or undefined for what is not JSON or beyond the bounds. */
export function jsonValue(text: string, limits: DocumentLimits): unknown {
  const document = readJson(text, limits);
  return document.kind === "read" ? document.value : undefined;
}

/**
 * Levels of brackets outside of text in quotes; of any text, whether it is JSON or not.
 *
 * A loop over each character would be hot at once, and would bring V8's compiler into memory for good (2 MiB).
 */
export function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const bracket of text.replace(notBrackets, "")) {
    depth += bracket === "[" || bracket === "{" ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}
