/**
 * How large, how deep and how rich a document from outside may be. Beyond that it is refused before anything is made
 * of it: text that is nested or repeated enough takes any amount of time, memory and stack.
 */

/** Bounds of one document. */
export interface DocumentLimits {
  /** Of the text. */
  readonly maxBytes: number;
  /** Levels of mappings and lists, aliases written out. */
  readonly maxDepth: number;
  /** Scalars, keys, mappings and lists, aliases written out; words and signs of YAML count too. */
  readonly maxParts: number;
}

/** Of a ProxyConfig, a mesh config, and of what variables and annotations hold: several times what anybody has. */
export const configurationLimits: DocumentLimits = { maxBytes: 2 ** 20, maxDepth: 64, maxParts: 65_536 };

/** Of a bootstrap, which may hold a whole static configuration. */
export const bootstrapLimits: DocumentLimits = { maxBytes: 2 ** 22, maxDepth: 128, maxParts: 2 ** 20 };

/** Of a file of Istio objects. */
export const objectsLimits: DocumentLimits = { maxBytes: 2 ** 22, maxDepth: 64, maxParts: 2 ** 20 };

/** What is wrong with a document. */
export interface DocumentFault {
  /** From 1; undefined where the whole document is meant. */
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
}

/** A document as it was read, or why it was not. */
export type ReadDocument =
  | { readonly kind: "read"; readonly value: unknown }
  | { readonly kind: "refused"; readonly faults: readonly DocumentFault[] };

/** Refused as a whole. */
export function refused(message: string): Extract<ReadDocument, { kind: "refused" }> {
  return { kind: "refused", faults: [{ message }] };
}

/** Why the text is too large; undefined when it is not. */
export function sizeFault(text: string, { maxBytes }: DocumentLimits): string | undefined {
  const bytes = Buffer.byteLength(text);
  return bytes <= maxBytes ? undefined : `has ${bytes} bytes, of which ${maxBytes} are the most that is read`;
}

/** Why its levels are too many. */
export function depthFault({ maxDepth }: DocumentLimits): string {
  return `is nested more than ${maxDepth} levels deep`;
}

/** Why its parts are too many. */
export function partsFault({ maxParts }: DocumentLimits): string {
  return `has more than ${maxParts} parts`;
}
