/**
 * The end of supervision: the active Envoy is drained and ended, then everything that is left.
 */
import { stopEnd } from "../drain/stop-step.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { refuseRequests } from "./requests.ts";
import type { Envoy } from "./state.ts";
import type { SwapRequest } from "./swap-request.ts";
import { interruptSwap } from "./swaps.ts";
import type { Turn } from "./turn.ts";

/** The agent is to stop. */
export function stop(turn: Turn, reason: unknown): void {
  if (turn.isStopping) return;
  const { place } = turn.state;
  const { active } = turn;
  turn.set({ course: { kind: "stop", reason, at: turn.moment.now, ended: active?.number } });
  if (active !== undefined) turn.set({ shown: { kind: "draining", generation: active.number } });
  refuseRequests(turn);
  for (const trial of trials(turn)) turn.answer(trial, { result: "stopped" });
  if (active !== undefined) turn.change(active.number, { trial: undefined });
  if (place.kind !== "taken") turn.set({ place: { kind: "empty" } });
  stopClearing(turn);
  interruptSwap(turn);
}

/** The requests that a cold swap has started an Envoy for, and that are not settled. */
function trials({ state: { place, dead }, active }: Turn): readonly SwapRequest[] {
  const deadTrials = place.kind === "unexplained" ? dead.filter(({ number }) => number === place.dead) : [];
  return [
    ...(place.kind === "waiting" ? [place.trial] : []),
    ...(place.kind === "lost" ? [place.loss.envoy.trial] : []),
    ...[...deadTrials, active].map((envoy) => envoy?.trial),
  ].filter((trial) => trial !== undefined);
}

/** A cold swap under way is off; an Envoy that it has begun to drain is drained to its end by the stop. */
function stopClearing(turn: Turn): void {
  const { swap } = turn.state;
  if (swap?.kind !== "clearing") return;
  turn.set({ swap: undefined });
  turn.answer(swap.request, { result: "stopped" });
  const old = turn.envoy(swap.old);
  if (old?.phase.kind !== "draining") return;
  turn.do({ kind: "cancel-drain", number: old.number });
  turn.change(old.number, { asked: undefined, phase: { kind: "serving" } });
}

/** Go on with the stop, once no swap is under way. */
export function continueStop(turn: Turn): void {
  const { course, swap, envoys, dead } = turn.state;
  if ((course.kind !== "stop" && course.kind !== "give-up") || swap !== undefined) return;
  const { active } = turn;
  if (active !== undefined) {
    if (course.kind === "stop") endActive(turn, active, course.reason);
    return;
  }
  for (const { number, asked, phase } of envoys) {
    if (phase.kind === "ending") continue;
    turn.change(number, { asked: asked ?? "stop", phase: { kind: "ending" } });
    turn.do({ kind: "kill", number });
  }
  if (envoys.length > 0 || dead.length > 0) return;
  turn.set({ course: { kind: "over" } });
  if (course.kind === "give-up") {
    turn.do({ kind: "end", end: course.end });
    return;
  }
  const { wasEverReady, hasApplicationEnded, isHurried } = turn.state;
  turn.set({ shown: { kind: "stopped", reason: "asked to stop" } });
  turn.log("info", "Envoy stopped", { generation: course.ended });
  const kind = stopEnd({ wasEverReady, applicationEnded: hasApplicationEnded, isCut: isHurried });
  turn.do({ kind: "end", end: { kind } });
}

function endActive(turn: Turn, { number, phase, serves, drained }: Envoy, reason: unknown): void {
  if (phase.kind === "draining" || phase.kind === "ending") return;
  const { course } = turn.state;
  if (course.kind === "stop") turn.set({ course: { ...course, ended: number } });
  turn.set({ shown: { kind: "draining", generation: number } });
  turn.log("info", "stopping", { reason: errorMessage(reason), generation: number, serves });
  if (drained === "whole" || serves === "nobody") {
    drainedForStop(turn, number);
    return;
  }
  turn.do({ kind: "observe", number, occasion: "drain" });
  turn.change(number, { phase: { kind: "draining", before: "stop" } });
  turn.do({ kind: "drain", number, before: "stop", wasReady: serves === "everybody" });
}

/** It is drained, or has nothing to drain. */
export function drainedForStop(turn: Turn, number: number): void {
  const envoy = turn.envoy(number);
  if (envoy === undefined) return;
  turn.change(number, { asked: envoy.asked ?? "stop", phase: { kind: "ending" } });
  turn.do({ kind: "terminate", number });
}
