/**
 * A request for another Envoy, and what becomes of it.
 */
import type { PreparedLaunch } from "../generation/launch.ts";
import type { SwapMode, SwapModeRequest } from "../inspect/swap-mode.ts";

/** Where a newcomer failed. */
export type SwapStage = "validate" | "ports" | "mode" | "start" | "live" | "proof";

/** What became of a request. */
export type SwapReport =
  /** The running Envoy is what was asked for. */
  | { readonly result: "unchanged"; readonly generation: number }
  | {
      readonly result: "swapped";
      readonly mode: SwapMode;
      readonly generation: number;
      /** From the request to the proof, in milliseconds. */
      readonly afterMs: number;
    }
  /** The Envoy of before, or one like it, serves on. */
  | { readonly result: "refused"; readonly stage: SwapStage; readonly reason: string }
  /** A newer request has taken its place. */
  | { readonly result: "superseded" }
  | { readonly result: "stopped" };

/** One request. */
export interface SwapRequest {
  readonly launch: PreparedLaunch;
  /** What set it off, for the log. */
  readonly trigger: string;
  readonly mode: SwapModeRequest;
  /**
   * The generation that is replaced of the agent's own accord, for what a failed swap or a dead parent has made of it;
   * undefined for a change of configuration.
   */
  readonly repairs: number | undefined;
  /** Monotonic time, in milliseconds. */
  readonly requestedAt: number;
  /** Those who wait for what becomes of it; nobody for a repair. */
  readonly askers: readonly number[];
}

/** A request for another Envoy that has come to its end. */
export interface EndedSwap {
  readonly mode: SwapMode | "none";
  readonly report: SwapReport;
  readonly trigger: string;
  /** Monotonic time, in milliseconds. */
  readonly requestedAt: number;
}
