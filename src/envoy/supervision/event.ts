/** What can happen to supervision. */
import type { ExitDiagnosis } from "../exits/exit-diagnosis.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import type { ChildExit } from "../../process/child.ts";
import type { SwapMode } from "../inspect/swap-mode.ts";
import type { SwapStage } from "./swap-request.ts";

/** What the look at a launch, the machine and the running Envoy has shown. */
export type Verdict =
  /** A newcomer could not be served now. */
  | { readonly kind: "wait"; readonly reason: string }
  | { readonly kind: "refuse"; readonly stage: SwapStage; readonly reason: string }
  | { readonly kind: "go"; readonly mode: SwapMode };

/** How it went to prove that an Envoy serves. Its death is an event of its own. */
export type ProofResult =
  | { readonly kind: "proven" }
  | { readonly kind: "never-live"; readonly reason: string }
  | { readonly kind: "faulty"; readonly reason: string }
  /** `isLive` when it answered so at the end. */
  | { readonly kind: "cancelled"; readonly isLive: boolean };

/** A time that was waited for. */
export type SupervisionTimer =
  /** Start generation `number`. */
  | { readonly kind: "start"; readonly number: number }
  /** Look at the requests again. */
  | { readonly kind: "recheck" }
  /** It has served for as long as a good launch must. */
  | { readonly kind: "probation"; readonly number: number }
  /** A hung Envoy is waited for no longer. */
  | { readonly kind: "hung"; readonly number: number }
  /** Try again to give a cut-off Envoy a successor. */
  | { readonly kind: "mend"; readonly number: number }
  /** A stop waits for a newcomer no longer. */
  | { readonly kind: "patience"; readonly number: number };

/** One thing that happened. */
export type SupervisionEvent =
  | { readonly kind: "begin"; readonly launch: PreparedLaunch }
  | { readonly kind: "services-attached" }
  | {
      readonly kind: "swap-requested";
      readonly asker: number;
      readonly launch: PreparedLaunch;
      readonly trigger: string;
      /** Also when the same launch has failed before. */
      readonly isForced: boolean;
    }
  /** Somebody has had an Envoy's listeners drained; `isWhole` when all are, and it is merely kept. */
  | {
      readonly kind: "drained-on-request";
      readonly number: number;
      readonly how: string;
      readonly isWhole: boolean;
    }
  | { readonly kind: "stop"; readonly reason: unknown }
  | { readonly kind: "application-ended" }
  | { readonly kind: "hurry" }
  | {
      readonly kind: "started";
      readonly number: number;
      readonly pid: number | undefined;
      readonly isHotCapable: boolean;
    }
  /** Its files could not be written. */
  | { readonly kind: "not-started"; readonly number: number; readonly reason: string }
  | { readonly kind: "waits-for"; readonly number: number; readonly reason: string }
  | { readonly kind: "live"; readonly number: number }
  | { readonly kind: "proof"; readonly number: number; readonly result: ProofResult }
  | { readonly kind: "checked"; readonly verdict: Verdict }
  | {
      readonly kind: "hung";
      readonly number: number;
      /** Every thread is, so that its workers do not serve either. */
      readonly isStopped: boolean;
      readonly reason: string;
    }
  | { readonly kind: "drained"; readonly number: number }
  | {
      readonly kind: "exited";
      readonly number: number;
      readonly exit: ChildExit;
      /** The agent has sent it a signal that ends it. */
      readonly isSignaled: boolean;
    }
  | {
      readonly kind: "explained";
      readonly number: number;
      readonly exit: ChildExit;
      readonly diagnosis: ExitDiagnosis;
      readonly kept: PreparedLaunch | undefined;
    }
  | { readonly kind: "timer"; readonly timer: SupervisionTimer };
