/**
 * JSON from outside, within bounds: what is read may be walked and printed without a look at the stack.
 */
import { depthFault, type DocumentLimits, type ReadDocument, refused, sizeFault } from "./limits.ts";

const [quote, backslash] = [0x22, 0x5c];
const opening: readonly number[] = [0x5b, 0x7b];
const closing: readonly number[] = [0x5d, 0x7d];

/** Never throws. */
export function readJson(text: string, limits: DocumentLimits): ReadDocument {
  const size = sizeFault(text, limits);
  if (size !== undefined) return refused(size);
  if (jsonDepth(text) > limits.maxDepth) return refused(depthFault(limits));
  try {
    return { kind: "read", value: JSON.parse(text) as unknown };
  } catch {
    return refused("is not JSON");
  }
}

/** The value, or undefined for what is not JSON or beyond the bounds. */
export function jsonValue(text: string, limits: DocumentLimits): unknown {
  const document = readJson(text, limits);
  return document.kind === "read" ? document.value : undefined;
}

/** Levels of brackets outside of text in quotes; of any text, whether it is JSON or not. */
export function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (isQuoted) {
      if (code === backslash) at += 1;
      else if (code === quote) isQuoted = false;
    } else if (code === quote) isQuoted = true;
    else if (opening.includes(code)) {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (closing.includes(code)) depth -= 1;
  }
  return deepest;
}
