/**
 * What shows in the bytes of an extension configuration that it is about Wasm, before anything is decoded: most
 * agents never load what reads them.
 */

/** Environment variable of a plugin that its image's credentials are passed in. */
export const pullSecretVariable = "ISTIO_META_WASM_IMAGE_PULL_SECRET";

/** In every type URL of a Wasm filter, and nowhere else. */
const wasmFilter = ".wasm.v3.Wasm";

/** True for bytes that may hold the configuration of a Wasm filter; one that has none is never rewritten. */
export function mayHoldWasm(bytes: Uint8Array): boolean {
  return holds(bytes, wasmFilter);
}

/** True for bytes that hold the credentials of an image. */
export function holdsPullSecret(bytes: Uint8Array): boolean {
  return holds(bytes, pullSecretVariable);
}

function holds(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(text);
}
