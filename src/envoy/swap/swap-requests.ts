/**
 * Requests for another Envoy: the newest one counts, and each learns what became of it.
 */
import type { PreparedLaunch } from "../generation/launch.ts";
import type { SwapStage } from "./swap.ts";
import type { SwapMode, SwapModeRequest } from "./swap-mode.ts";

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
   * The generation that the supervisor replaces of its own accord, for what a failed swap or a dead parent has made
   * of it; undefined for a change of configuration.
   */
  readonly repairs: number | undefined;
  readonly requestedAt: number;
  readonly report: (report: SwapReport) => void;
}

/** A request of the supervisor's own, which goes before everybody's. */
export function repairRequest(
  repairs: number,
  launch: PreparedLaunch,
  trigger: string,
  mode: SwapModeRequest,
): SwapRequest {
  return { launch, trigger, mode, repairs, requestedAt: performance.now(), report: () => undefined };
}

/** The requests that wait: at most one of each kind. */
export class SwapRequests {
  #repair: SwapRequest | undefined;
  #change: SwapRequest | undefined;

  /** The one to do next. */
  get next(): SwapRequest | undefined {
    return this.#repair ?? this.#change;
  }

  add(request: SwapRequest): void {
    if (request.repairs !== undefined) {
      this.#repair = request;
      return;
    }
    const waiting = this.#change;
    this.#change = request;
    if (waiting === undefined) return;
    if (waiting.launch.fingerprint !== request.launch.fingerprint) waiting.report({ result: "superseded" });
    else this.#change = joined(waiting, request);
  }

  /** Put a request back that could not be finished, unless a newer one has come. */
  putBack(request: SwapRequest): void {
    if (request.repairs !== undefined) this.#repair ??= request;
    else if (this.#change === undefined) this.#change = request;
    else request.report({ result: "superseded" });
  }

  take(request: SwapRequest): void {
    if (this.#repair === request) this.#repair = undefined;
    if (this.#change === request) this.#change = undefined;
  }

  /** No more requests are served. */
  stop(): void {
    this.#change?.report({ result: "stopped" });
    this.#change = undefined;
    this.#repair = undefined;
  }
}

/** Two requests for the same Envoy are one, and both learn what became of it. */
function joined(first: SwapRequest, second: SwapRequest): SwapRequest {
  return {
    ...first,
    report: (report) => {
      first.report(report);
      second.report(report);
    },
  };
}
