/**
 * What a status of HTTP means for a fetch. Pure.
 */
import { type FetchFailure, WasmFetchError } from "../fetch-error.ts";

/** Server errors that no further try mends. */
const final: ReadonlySet<number> = new Set([501, 505, 511]);

/** Not the server's fault, but passing. */
const passing: ReadonlySet<number> = new Set([408, 425, 429]);

/** True when another try may have another answer. */
export function isTransientStatus(status: number): boolean {
  return passing.has(status) || (status >= 500 && !final.has(status));
}

/** The error of an answer that is not 200. `what` was asked for. */
export function statusError(code: FetchFailure, url: URL, status: number, what: string): WasmFetchError {
  return new WasmFetchError(
    code,
    `${url.host} answered ${status} to the request for ${what}${hint(status)}`,
    {
      isTransient: isTransientStatus(status),
    },
  );
}

function hint(status: number): string {
  if (status === 401 || status === 403) return ": the pull secret is missing or has no right to it";
  return status === 404 ? ": it is not there, or needs a pull secret" : "";
}
