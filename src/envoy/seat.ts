/**
 * What the supervisor knows of one generation beside what the generation knows of itself.
 */
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
}
