/**
 * The active Envoy hangs: put another one in its place.
 */
import { repair } from "./requests.ts";
import type { SupervisionEvent } from "./event.ts";
import { servesEverybody } from "./state.ts";
import type { Turn } from "./turn.ts";

/** Longest wait for the successor of a hung Envoy, in milliseconds. */
const replacementMs = 3_000;

/** The watchdog has found it. */
export function hung(turn: Turn, event: Extract<SupervisionEvent, { kind: "hung" }>): void {
  const { number, isStopped, reason } = event;
  const { active } = turn;
  if (active?.number !== number || active.asked !== undefined || turn.isStopping) return;
  turn.count("hangs");
  turn.log("error", "Envoy hangs, replacing it", { generation: number, reason });
  turn.do({ kind: "observe", number, occasion: "hang" });
  turn.change(number, { asked: "hung", phase: { kind: "hung" } });
  // A stopped process holds its share of the port and serves nobody; one whose main thread alone hangs may still
  // serve, so that it is worth a moment to have the next one ready first.
  if (isStopped || !servesEverybody(active)) {
    turn.do({ kind: "kill", number });
    return;
  }
  repair(turn, active, turn.state.lastGood ?? active.launch, "Envoy hangs", "overlap");
  turn.do({ kind: "set-timer", timer: { kind: "hung", number }, ms: replacementMs });
}

/** It is waited for no longer. */
export function replacementIsOverdue(turn: Turn, number: number): void {
  // Also while it is drained: it answers nobody, and nothing is to be counted on it.
  if (turn.active?.number === number) turn.do({ kind: "kill", number });
}
