/**
 * What a stop does next: whatever allows an earlier end, ends it, in whichever order things happen.
 */
import { drainEnd, type DrainPlan, type DrainProgress } from "./drain-plan.ts";

/** Where a stop stands; times in milliseconds. */
export interface StopMoment {
  /** Somebody does not want to wait any longer. */
  readonly isCut: boolean;
  /** Envoy has ended, by whatever means. */
  readonly isGone: boolean;
  /** Since the stop was asked for. */
  readonly waitedMs: number;
  /** Since the drain began; undefined before it. */
  readonly drainedMs: number | undefined;
  readonly progress: DrainProgress;
}

/** What follows. */
export type StopStep =
  /** Envoy serves on, for so many milliseconds at most. */
  | { readonly kind: "serve-on"; readonly forMs: number }
  | { readonly kind: "drain" }
  | { readonly kind: "end"; readonly because: string };

/** Decide, with the plan for all that is known by now. */
export function nextStep(plan: DrainPlan, moment: StopMoment): StopStep {
  const { isCut, isGone, waitedMs, drainedMs, progress } = moment;
  if (isGone) return { kind: "end", because: "Envoy has ended" };
  if (isCut) return { kind: "end", because: "it was cut short" };
  if (drainedMs === undefined) {
    const forMs = plan.preDrainDelayMs - waitedMs;
    return forMs > 0 ? { kind: "serve-on", forMs } : { kind: "drain" };
  }
  const because = drainEnd(plan, progress, drainedMs);
  return because === undefined ? { kind: "drain" } : { kind: "end", because };
}

/** How Envoy was when the agent was asked to stop. */
export interface StopEvidence {
  /** An Envoy of this agent was ready once. */
  readonly wasEverReady: boolean;
  /** The application asked for the stop, or is gone. */
  readonly applicationEnded: boolean;
  readonly isCut: boolean;
}

/** How a stop has ended. */
export type StopEnd = "drained" | "cut-short" | "never-served";

/** Who only asks an agent to stop that has served nobody yet has stopped its start; the end of a Job is a success. */
export function stopEnd({ wasEverReady, applicationEnded, isCut }: StopEvidence): StopEnd {
  if (isCut) return "cut-short";
  return wasEverReady || applicationEnded ? "drained" : "never-served";
}
