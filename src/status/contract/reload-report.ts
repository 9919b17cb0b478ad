/**
 * What became of a request for another Envoy, as the status port tells it.
 */

/** What became of a swap that was asked for. */
export type SwapReport =
  /** The running Envoy is what was asked for. */
  | { readonly result: "unchanged"; readonly generation: number }
  | {
      readonly result: "swapped";
      readonly mode: "overlap" | "hot" | "cold";
      readonly generation: number;
      /** From the request to the proof, in milliseconds. */
      readonly afterMs: number;
    }
  /** The Envoy of before, or one like it, serves on. */
  | { readonly result: "refused"; readonly stage: string; readonly reason: string }
  /** A newer request has taken its place. */
  | { readonly result: "superseded" }
  | { readonly result: "stopped" };

/** What became of a reload; `invalid` when the configuration cannot be used, or where there is no Envoy. */
export type ReloadReport = SwapReport | { readonly result: "invalid"; readonly problems: readonly string[] };

/** In a few words: how it took over, or why it did not. */
export function describeSwap(report: SwapReport): string {
  switch (report.result) {
    case "swapped":
      return `${report.mode}, generation ${report.generation} after ${report.afterMs} ms`;
    case "refused":
      return `refused at ${report.stage}: ${report.reason}`;
    case "unchanged":
    case "superseded":
    case "stopped":
      return report.result;
  }
}
