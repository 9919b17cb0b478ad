/**
 * One transition under way: the state so far, and the effects so far.
 */
import type { LogFields } from "../../telemetry/log.ts";
import type { Effect } from "./effect.ts";
import { activeOf, type Envoy, type Phase, type SupervisionCounts, type SupervisionState } from "./state.ts";
import type { SwapReport, SwapRequest } from "./swap-request.ts";

/** What a transition is told of the world beside its event. */
export interface Moment {
  /** The monotonic clock, in milliseconds. */
  readonly now: number;
  /** Between 0 and 1. */
  readonly random: number;
}

/** What a phase change may change along with it. */
type EnvoyChange = Partial<Omit<Envoy, "number" | "launch" | "phase">>;

/** Lives as long as one call of `transition`, which is pure as a whole. */
export class Turn {
  state: SupervisionState;
  readonly effects: Effect[] = [];
  readonly moment: Moment;
  /** Something has changed that may let a waiting request begin. */
  mayBegin = false;

  constructor(state: SupervisionState, moment: Moment) {
    this.state = state;
    this.moment = moment;
  }

  get active(): Envoy | undefined {
    return activeOf(this.state);
  }

  get isStopping(): boolean {
    return this.state.course.kind !== "serve";
  }

  envoy(number: number): Envoy | undefined {
    return this.state.envoys.find((envoy) => envoy.number === number);
  }

  set(change: Partial<SupervisionState>): void {
    this.state = { ...this.state, ...change };
  }

  /** Change what is known of an Envoy that lives. */
  change(number: number, change: EnvoyChange & { readonly phase?: Phase }): void {
    const envoys = this.state.envoys.map((envoy) =>
      envoy.number === number ? { ...envoy, ...change } : envoy,
    );
    this.set({ envoys });
  }

  remove(number: number): void {
    this.set({ envoys: this.state.envoys.filter((envoy) => envoy.number !== number) });
  }

  count(what: keyof SupervisionCounts): void {
    const { counts } = this.state;
    this.set({ counts: { ...counts, [what]: counts[what] + 1 } });
  }

  do(effect: Effect): void {
    this.effects.push(effect);
  }

  log(level: "debug" | "info" | "warn" | "error", message: string, fields: LogFields): void {
    this.do({ kind: "log", level, message, fields });
  }

  /** Tell those who asked, and nobody else. */
  answer({ askers }: SwapRequest, report: SwapReport): void {
    if (askers.length > 0) this.do({ kind: "answer", askers, report });
  }

  /** Tell those who asked, and count it. */
  settle(request: SwapRequest, mode: "overlap" | "hot" | "cold" | "none", report: SwapReport): void {
    const { trigger, requestedAt } = request;
    this.do({ kind: "count-swap", mode, report, trigger, requestedAt });
    if (report.result === "swapped") this.set({ failedRepairs: 0 });
    this.answer(request, report);
  }
}
