/**
 * What the supervisor knows of one generation beside what the generation knows of itself.
 */
import type { ChildExit } from "../process/child.ts";
import type { ExitDiagnosis, ExitRequest } from "./exits/exit-diagnosis.ts";
import type { Generation } from "./generation/generation.ts";
import type { ListenerFacts } from "./swap/listeners.ts";
import type { SwapRequest } from "./swap/swap-requests.ts";

/** Explains an end; see `SupervisorOptions`. */
type Explain = (
  generation: Generation,
  exit: ChildExit,
  facts: { readonly asked: ExitRequest | undefined; readonly wasLive: boolean },
) => ExitDiagnosis;

/** One generation under supervision. */
export class Seat {
  readonly generation: Generation;
  /** The request that a cold swap started it for, until it is proven. */
  trial: SwapRequest | undefined;
  /** Time of the proof that it serves, in milliseconds; undefined until then. */
  provenAt: number | undefined;
  /** Whom it serves: nobody before it is LIVE, and everybody once it was ready or took over from another. */
  serves: "nobody" | "whoever-connects" | "everybody" = "nobody";
  /** What it waits for, until it is proven. */
  waitingFor = "Envoy starts";
  /** Set before the agent ends it, or has it ended. */
  asked: ExitRequest | undefined;
  /** A newcomer has taken its admin interface and failed. */
  isBlind = false;
  /** The parent that it took over from has died, which will make it abort. */
  isOrphaned = false;

  /** Its listeners are being drained because somebody asked for it. */
  isDrainedOnRequest = false;

  /** Its listeners as they were when it was proven; undefined until then. */
  listeners: readonly ListenerFacts[] | undefined;

  #diagnosis: Promise<ExitDiagnosis> | undefined;

  constructor(generation: Generation, trial?: SwapRequest) {
    this.generation = generation;
    this.trial = trial;
  }

  get isProven(): boolean {
    return this.provenAt !== undefined;
  }

  /** Remember the listeners, for the time when it cannot be asked any more. */
  async learnListeners(): Promise<void> {
    try {
      this.listeners = await this.generation.admin.listeners();
    } catch {
      // Nothing is lost while it answers: it is asked again before each swap.
    }
  }

  /** Why it ended; found out once, as evidence is used up. */
  async diagnose(explain: Explain, exit: ChildExit): Promise<ExitDiagnosis> {
    this.#diagnosis ??= this.generation
      .finalLines()
      .then(() => explain(this.generation, exit, { asked: this.#askedBefore(exit), wasLive: this.isProven }));
    return this.#diagnosis;
  }

  /** What the agent asked before this end; nothing when somebody else has killed an Envoy that was on its way out. */
  #askedBefore(exit: ChildExit): ExitRequest | undefined {
    const isKilledByOthers = exit.kind === "signaled" && !this.generation.isSignaled;
    return this.asked === "handover" && isKilledByOthers ? undefined : this.asked;
  }
}
