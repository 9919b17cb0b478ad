/**
 * What supervision counts and shows: read by metrics, readiness and the agent's report.
 */
import { type ReadonlyWatch, Watch } from "../lifecycle/watch.ts";
import type { ExitDiagnosis, ExitReason } from "./exits/exit-diagnosis.ts";
import type { Generation } from "./generation/generation.ts";
import type { EnvoyState } from "./state.ts";
import type { SwapReport } from "./swap/swap-requests.ts";
import type { SwapMode } from "./swap/swap-mode.ts";

/** A count with its label. */
export type Counts = ReadonlyMap<string, number>;

/** The end of a generation, kept for the report. */
export interface LastExit extends ExitDiagnosis {
  readonly generation: number;
  readonly at: Date;
}

/** Written by the supervisor alone. */
export class SupervisionReport {
  readonly state: Watch<EnvoyState>;
  readonly #exits = new Map<ExitReason, number>();
  readonly #swaps = new Map<string, number>();
  #restarts = 0;
  #failedStarts = 0;
  #hangs = 0;
  #lastExit: LastExit | undefined;
  #lastSwap: { readonly report: SwapReport; readonly trigger: string; readonly at: Date } | undefined;

  constructor(state: EnvoyState) {
    this.state = new Watch(state);
  }

  get current(): ReadonlyWatch<EnvoyState> {
    return this.state;
  }

  /** The agent stops, and so does this Envoy, if there is one. */
  draining(active: Generation | undefined): void {
    if (active !== undefined) this.state.set({ kind: "draining", generation: active.number });
  }

  /** Ends of Envoys by reason. */
  get exits(): Counts {
    return this.#exits;
  }

  /** Ended swaps by `mode/result`. */
  get swaps(): Counts {
    return this.#swaps;
  }

  /** Times that Envoy was started again after it died. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Times that Envoy could not be started because of the agent's surroundings. */
  get failedStarts(): number {
    return this.#failedStarts;
  }

  /** Times that Envoy was found hung. */
  get hangs(): number {
    return this.#hangs;
  }

  /** The last end that nobody asked for. */
  get lastExit(): LastExit | undefined {
    return this.#lastExit;
  }

  /** The last request for another Envoy that did something, and what became of it. */
  get lastSwap(): { readonly report: SwapReport; readonly trigger: string; readonly at: Date } | undefined {
    return this.#lastSwap;
  }

  exited(generation: number, diagnosis: ExitDiagnosis, at: Date): void {
    this.#exits.set(diagnosis.reason, (this.#exits.get(diagnosis.reason) ?? 0) + 1);
    if (diagnosis.reason !== "asked") this.#lastExit = { ...diagnosis, generation, at };
  }

  restarted(): void {
    this.#restarts += 1;
  }

  startFailed(): void {
    this.#failedStarts += 1;
  }

  hung(): void {
    this.#hangs += 1;
  }

  swapped(mode: SwapMode | "none", report: SwapReport, trigger: string, at: Date): void {
    const key = `${mode}/${report.result}`;
    this.#swaps.set(key, (this.#swaps.get(key) ?? 0) + 1);
    this.#lastSwap = { report, trigger, at };
  }
}
