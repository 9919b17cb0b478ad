/**
 * A cold swap: there is no way but to end the old Envoy before the other one starts.
 */
import { begin } from "./starts.ts";
import { servesEverybody } from "./state.ts";
import type { SwapRequest } from "./swap-request.ts";
import { endSwap } from "./take-over.ts";
import type { Turn } from "./turn.ts";

/** Free the place, and start another one there. */
export function clear(turn: Turn, request: SwapRequest): void {
  const { active: old } = turn;
  if (old === undefined) {
    endSwap(turn);
    begin(turn, request.launch, request);
    return;
  }
  const { number, trial } = old;
  turn.set({
    swap: { kind: "clearing", request, old: number },
    shown: { kind: "restarting", reason: "is being replaced", delayMs: 0 },
  });
  turn.change(number, { asked: "handover", trial: undefined });
  if (trial !== undefined) turn.answer(trial, { result: "superseded" });
  turn.do({ kind: "observe", number, occasion: "drain" });
  if (!servesEverybody(old)) {
    end(turn, number);
    return;
  }
  turn.log("info", "draining Envoy before its replacement starts", { generation: number });
  turn.change(number, { phase: { kind: "draining", before: "cold-swap" } });
  turn.do({ kind: "drain", number, before: "cold-swap", wasReady: true });
}

/** It is drained, or has nothing to drain. */
export function end(turn: Turn, number: number): void {
  const envoy = turn.envoy(number);
  if (envoy === undefined) return;
  turn.change(number, { phase: { kind: "ending" } });
  // An orphan would wait ten seconds for its dead parent before it heeded a signal.
  turn.do({ kind: envoy.isOrphaned ? "kill" : "terminate", number });
}
