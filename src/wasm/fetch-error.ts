/**
 * Why there is no module.
 */

/** Istio's values of the label `result` of wasm_remote_fetch_count. */
export type FetchFailure = "download_failure" | "manifest_failure" | "checksum_mismatched" | "fetch_failure";

/** A module could not be fetched; the message names the cause. */
export class WasmFetchError extends Error {
  override readonly name = "WasmFetchError";
  readonly code: FetchFailure;
  /** True when another try may mend it. */
  readonly isTransient: boolean;

  constructor(code: FetchFailure, message: string, options: { cause?: unknown; isTransient?: boolean } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.isTransient = options.isTransient ?? false;
  }
}
