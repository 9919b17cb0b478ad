/**
 * What the supervisor knows of one generation beside what the generation knows of itself.
 */
import type { ChildExit } from "../lifecycle/child.ts";
import type { ExitRequest } from "./exit-diagnosis.ts";
import type { Generation } from "./generation.ts";
import type { SwapRequest } from "./swap-requests.ts";

/** One generation under supervision. */
export class Seat {
  readonly generation: Generation;
  /** The request that a cold swap started it for, until it is proven. */
  trial: SwapRequest | undefined;
  /** Time of the proof that it serves, in milliseconds; undefined until then. */
  provenAt: number | undefined;
  /** What it waits for, until it is proven. */
  waitingFor = "Envoy starts";
  /** Set before the agent ends it, or has it ended. */
  asked: ExitRequest | undefined;
  /** A newcomer has taken its admin interface and failed. */
  isBlind = false;
  /** The parent that it took over from has died, which will make it abort. */
  isOrphaned = false;

  constructor(generation: Generation, trial?: SwapRequest) {
    this.generation = generation;
    this.trial = trial;
  }

  get isProven(): boolean {
    return this.provenAt !== undefined;
  }

  /** What the agent asked before this end; nothing when somebody else has killed an Envoy that was on its way out. */
  askedBefore(exit: ChildExit): ExitRequest | undefined {
    const isKilledByOthers = exit.kind === "signaled" && !this.generation.isSignaled;
    return this.asked === "handover" && isKilledByOthers ? undefined : this.asked;
  }
}
