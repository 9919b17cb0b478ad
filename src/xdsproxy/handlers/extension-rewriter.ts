/**
 * The seam to whoever makes extension configurations (ECDS) loadable: Envoy cannot fetch a Wasm module from a
 * registry, so that the agent does it and names a file instead.
 */

/** What Envoy is to get instead of an extension configuration. */
export type RewrittenExtension =
  | { readonly kind: "unchanged" }
  | {
      readonly kind: "replaced";
      readonly extension: Uint8Array;
      /**
       * Given when `extension` only stands in for what could not be had yet: what Envoy is to get once it is there;
       * undefined when the signal has aborted. Never rejects.
       */
      readonly later?: Promise<Uint8Array | undefined>;
    }
  /** It can be of no use to anybody: the control plane is told. */
  | { readonly kind: "refused"; readonly reason: string };

/** Rewrites; shared by all streams. */
export interface ExtensionRewriter {
  /**
   * Never takes for ever: what cannot be fetched in time is replaced by something that can be loaded.
   *
   * @param extension a TypedExtensionConfig
   * @param signal aborts when the answer, or what comes later, is of no use any more
   */
  rewrite(extension: Uint8Array, signal: AbortSignal): Promise<RewrittenExtension>;
  /** Envoy gives these up. */
  retire(names: readonly string[]): void;
}

/** In every type URL of a Wasm filter, and nowhere else. */
const wasmFilter = ".wasm.v3.Wasm";

/** True for bytes that may hold the configuration of a Wasm filter; one that has none is never rewritten. */
export function mayHoldWasm(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(wasmFilter);
}
