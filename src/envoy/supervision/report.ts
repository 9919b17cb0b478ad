/**
 * What supervision counts and shows: read by metrics, readiness and the agent's report.
 */
import type { Moment } from "../../lifecycle/moment.ts";
import { type ReadonlyWatch, Watch } from "../../lifecycle/watch.ts";
import { type ExitDiagnosis, type ExitReason, exitReasons } from "../exits/exit-diagnosis.ts";
import type { SwapMode } from "../inspect/swap-mode.ts";
import { type History, withEnd, withState } from "./history.ts";
import type { EnvoyState } from "./shown.ts";
import type { SupervisionCounts, SupervisionState } from "./state.ts";
import type { SwapReport } from "./swap-request.ts";

/** A count with its label. */
export type Counts = ReadonlyMap<string, number>;

/** The end of a generation, kept for the report. */
export interface LastExit extends ExitDiagnosis {
  readonly generation: number;
  readonly at: Moment;
}

/** The end of a swap, kept for the report. */
export interface LastSwap {
  readonly report: SwapReport;
  readonly trigger: string;
  readonly at: Moment;
}

/** Written by the runner alone. */
export class SupervisionReport {
  readonly #state: Watch<EnvoyState>;
  /** From 0 on: a counter that appears with its first end has not increased for Prometheus. */
  readonly #exits = new Map<ExitReason, number>(exitReasons.map((reason) => [reason, 0]));
  readonly #swaps = new Map<string, number>();
  #counts: SupervisionCounts;
  #lastExit: LastExit | undefined;
  #lastSwap: LastSwap | undefined;
  #history: History = [];

  constructor({ shown, counts }: SupervisionState) {
    this.#state = new Watch(shown);
    this.#counts = counts;
  }

  /** Where the active Envoy stands. */
  get state(): ReadonlyWatch<EnvoyState> {
    return this.#state;
  }

  /** Ends of Envoys by every reason there is. */
  get exits(): Counts {
    return this.#exits;
  }

  /** Ended swaps by `mode/result`. */
  get swaps(): Counts {
    return this.#swaps;
  }

  /** What else is counted. */
  get counts(): SupervisionCounts {
    return this.#counts;
  }

  /** The last end that nobody asked for. */
  get lastExit(): LastExit | undefined {
    return this.#lastExit;
  }

  /** The last request for another Envoy that did something, and what became of it. */
  get lastSwap(): LastSwap | undefined {
    return this.#lastSwap;
  }

  /** The last generations, oldest first. */
  get history(): History {
    return this.#history;
  }

  show(state: SupervisionState, at: Date): void {
    const { shown, counts } = state;
    this.#counts = counts;
    this.#history = withState(this.#history, state, at);
    if (shown !== this.#state.current) this.#state.set(shown);
  }

  exited(generation: number, diagnosis: ExitDiagnosis, at: Moment): void {
    this.#exits.set(diagnosis.reason, (this.#exits.get(diagnosis.reason) ?? 0) + 1);
    this.#history = withEnd(this.#history, generation, diagnosis, at.at);
    if (diagnosis.reason !== "asked") this.#lastExit = { ...diagnosis, generation, at };
  }

  swapped(mode: SwapMode | "none", report: SwapReport, trigger: string, at: Moment): void {
    const key = `${mode}/${report.result}`;
    this.#swaps.set(key, (this.#swaps.get(key) ?? 0) + 1);
    this.#lastSwap = { report, trigger, at };
  }
}
