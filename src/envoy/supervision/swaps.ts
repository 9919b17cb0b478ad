/**
 * One swap, from the look at its launch to the proof of the newcomer: either it takes over, or nothing changes.
 */
import type { ExitDiagnosis } from "../exits/exit-diagnosis.ts";
import { clear } from "./cold-swap.ts";
import type { ProofResult, Verdict } from "./event.ts";
import { nextNewcomerStep } from "./newcomer-step.ts";
import { putBack, wait } from "./requests.ts";
import { addEnvoy } from "./starts.ts";
import type { AfterKill, Envoy, Swap, TakeOverMode } from "./state.ts";
import type { SwapRequest } from "./swap-request.ts";
import { adoptFaulty, endSwap, loseListeners, markBlind, promote, refuseNewcomer } from "./take-over.ts";
import type { Turn } from "./turn.ts";

type Proving = Extract<Swap, { kind: "proving" }>;

/** The look at a launch has an answer. */
export function checked(turn: Turn, verdict: Verdict): void {
  const { swap, place } = turn.state;
  if (swap?.kind !== "checking") return;
  const { request } = swap;
  if (place.kind === "unexplained") {
    // What was looked at is not so any more.
    endSwap(turn);
    putBack(turn, request);
    return;
  }
  if (verdict.kind === "wait") {
    // Not looked at again at once: nothing has changed.
    turn.set({ swap: undefined });
    putBack(turn, request);
    wait(turn, request, verdict.reason);
    return;
  }
  turn.set({ waitingFor: undefined });
  if (verdict.kind === "refuse") {
    refuseNewcomer(turn, request, verdict.stage, verdict.reason, false);
    return;
  }
  if (verdict.mode === "cold") clear(turn, request);
  else startNewcomer(turn, request, verdict.mode);
}

function startNewcomer(turn: Turn, request: SwapRequest, mode: TakeOverMode): void {
  const { active } = turn;
  if (active === undefined) {
    endSwap(turn);
    putBack(turn, request);
    return;
  }
  const number = addEnvoy(
    turn,
    request.launch,
    { kind: "newcomer", mode, isLive: false },
    { lineage: mode === "hot" ? active.lineage : undefined },
  );
  turn.set({ swap: { kind: "proving", request, newcomer: number, isCancelled: false } });
  turn.do({
    ...{ kind: "start", number, launch: request.launch },
    descent: { kind: "newcomer", mode, from: active.number },
  });
}

/** The newcomer runs. */
export function newcomerStarted(turn: Turn, number: number): void {
  turn.do({ kind: "prove", number, limits: turn.state.policy.swap });
  interruptSwap(turn);
}

/** Its files could not be written. */
export function newcomerNotStarted(turn: Turn, number: number, reason: string): void {
  const { swap } = turn.state;
  turn.remove(number);
  if (swap?.kind === "proving") refuseNewcomer(turn, swap.request, "start", reason, false);
}

/** From now on a hot restart child has the listeners. */
export function newcomerLive(turn: Turn, number: number, mode: TakeOverMode): void {
  turn.change(number, { phase: { kind: "newcomer", mode, isLive: true } });
  interruptSwap(turn);
}

/** End the swap where there is a reason to, as soon as that loses nothing. */
export function interruptSwap(turn: Turn): void {
  const { swap, course, place, isHurried } = turn.state;
  const isCut = place.kind === "lost" || (turn.isStopping && (isHurried || place.kind !== "taken"));
  if (swap?.kind === "checking") {
    if (!isCut && !turn.isStopping) return;
    turn.do({ kind: "cancel-check" });
    endSwap(turn);
    putBack(turn, swap.request);
    return;
  }
  if (swap?.kind !== "proving" || swap.isCancelled) return;
  const { newcomer: number } = swap;
  const phase = turn.envoy(number)?.phase;
  if (phase?.kind !== "newcomer") return;
  const stopForMs = course.kind === "stop" ? turn.moment.now - course.at : undefined;
  const step = nextNewcomerStep({ mode: phase.mode, isLive: phase.isLive, stopForMs, isCut });
  if (step.kind !== "go-on") {
    turn.set({ swap: { ...swap, isCancelled: true } });
    turn.do({ kind: "cancel-proof", number });
  } else if (step.forMs !== undefined) {
    turn.do({ kind: "set-timer", timer: { kind: "patience", number }, ms: Math.ceil(step.forMs) });
  }
}

/** The proof of the newcomer has come to an end. */
export function afterNewcomerProof(
  turn: Turn,
  swap: Proving,
  mode: TakeOverMode,
  isLive: boolean,
  result: ProofResult,
): void {
  const { request, newcomer } = swap;
  switch (result.kind) {
    case "proven":
      promote(turn, request, newcomer, mode, true);
      break;
    case "faulty":
      if (mode === "hot") adoptFaulty(turn, request, newcomer, result.reason);
      else abandon(turn, swap, { kind: "refuse", stage: "proof", reason: result.reason });
      break;
    case "never-live":
      abandon(turn, swap, { kind: "refuse", stage: "live", reason: result.reason });
      break;
    case "cancelled":
      // A newcomer that has taken the listeners over is the one that serves.
      if (mode === "hot" && (isLive || result.isLive)) promote(turn, request, newcomer, mode, false);
      else abandon(turn, swap, { kind: "put-back" });
      break;
  }
}

/** SIGKILL only: any other end of a newcomer would end the Envoy that it was to take over from as well. */
function abandon(turn: Turn, { request, newcomer }: Proving, afterKill: AfterKill): void {
  turn.change(newcomer, { asked: "aborted" });
  turn.do({ kind: "kill", number: newcomer });
  turn.set({ swap: { kind: "abandoning", request, newcomer, afterKill } });
}

/** A process that does not hold the place is gone. */
export function newcomerExited(turn: Turn, envoy: Envoy): void {
  const { swap } = turn.state;
  const { number, phase } = envoy;
  if (phase.kind !== "newcomer") return;
  if (swap?.kind === "proving" && swap.newcomer === number) {
    turn.set({ swap: { kind: "died", request: swap.request, newcomer: envoy } });
  }
  if (swap?.kind !== "abandoning" || swap.newcomer !== number) return;
  const isHot = phase.mode === "hot";
  if (isHot) turn.do({ kind: "heal-lineage", number });
  const { request, afterKill } = swap;
  if (afterKill.kind === "refuse") {
    refuseNewcomer(turn, request, afterKill.stage, afterKill.reason, isHot);
    return;
  }
  endSwap(turn);
  if (isHot) markBlind(turn);
  putBack(turn, request);
}

/** It is known why the newcomer has died by itself. */
export function newcomerExplained(
  turn: Turn,
  { request, newcomer }: Extract<Swap, { kind: "died" }>,
  { message }: ExitDiagnosis,
): void {
  const { phase, number } = newcomer;
  if (phase.kind !== "newcomer") return;
  const isHot = phase.mode === "hot";
  const reason = `the new generation has ended: ${message}`;
  if (isHot && phase.isLive) {
    loseListeners(turn, request, newcomer, reason);
    return;
  }
  if (isHot) turn.do({ kind: "heal-lineage", number });
  refuseNewcomer(turn, request, phase.isLive ? "proof" : "live", reason, isHot);
}
