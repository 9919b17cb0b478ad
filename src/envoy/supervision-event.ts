/** What the supervisor's loop handles. */
import type { ChildExit } from "../process/child.ts";
import type { BringUpResult } from "./swap/bring-up.ts";
import type { Seat } from "./seat.ts";
import type { SwapOutcome } from "./swap/swap.ts";
import type { SwapRequest } from "./swap/swap-requests.ts";

/** One thing that happened. */
export type SupervisionEvent =
  | { readonly kind: "stop"; readonly reason: unknown }
  | {
      readonly kind: "exited";
      readonly seat: Seat;
      readonly exit: ChildExit;
      /** It was the one that served. */
      readonly wasActive: boolean;
    }
  /** An Envoy that was started without a predecessor is proven, or has failed to be. */
  | { readonly kind: "brought-up"; readonly seat: Seat; readonly result: BringUpResult }
  /** It has served without a break for as long as a good bootstrap must. */
  | { readonly kind: "stood-the-test"; readonly seat: Seat }
  | { readonly kind: "hung"; readonly seat: Seat; readonly isStopped: boolean; readonly reason: string }
  /** Something has changed that may let a waiting request begin. */
  | { readonly kind: "requests" }
  | { readonly kind: "swap-ended"; readonly request: SwapRequest; readonly outcome: SwapOutcome };
