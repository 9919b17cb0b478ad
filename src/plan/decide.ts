/**
 * What a start or a reload would do, decided from what is known of the running Envoy and of the wanted one.
 */
import type { SwapDecision, SwapMode } from "../envoy/inspect/swap-mode.ts";
import type { Change } from "./changes.ts";

/** What decides. */
export interface PlanFacts {
  /** What sets the wanted Envoy apart from the running one; undefined when none runs. */
  readonly changes: readonly Change[] | undefined;
  /** What keeps the wanted Envoy from being started: what an inspection refuses it for, ports that cannot change. */
  readonly obstacles: readonly string[];
  /** How it would take over; undefined when no Envoy runs. */
  readonly swap: SwapDecision | undefined;
}

/** What would happen. */
export type PlannedAction =
  | { readonly kind: "none" }
  | { readonly kind: "start" }
  | { readonly kind: "swap"; readonly mode: SwapMode; readonly why: string }
  /** The running Envoy, if there is one, would serve on as it is. */
  | { readonly kind: "refuse"; readonly reasons: readonly string[] };

/** An unchanged Envoy is left alone before anything else is looked at, as the supervisor does. */
export function decidePlan({ changes, obstacles, swap }: PlanFacts): PlannedAction {
  if (changes?.length === 0) return { kind: "none" };
  if (obstacles.length > 0) return { kind: "refuse", reasons: obstacles };
  if (swap === undefined) return { kind: "start" };
  if (swap.kind === "impossible") return { kind: "refuse", reasons: [swap.why] };
  return { kind: "swap", mode: swap.mode, why: swap.why };
}
