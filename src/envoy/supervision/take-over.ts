/**
 * What follows from the end of a swap: who holds the place now, who is retired, and what has to be mended.
 */
import { clearRefusal, refuse } from "./good-launch.ts";
import { mend, repair, replaceOrphan } from "./requests.ts";
import { follow, markProven } from "./starts.ts";
import type { Envoy, TakeOverMode } from "./state.ts";
import type { Retirement } from "../drain/retire.ts";
import type { SwapRequest, SwapStage } from "./swap-request.ts";
import type { Turn } from "./turn.ts";

/** No swap is under way any more. */
export function endSwap(turn: Turn): void {
  turn.set({ swap: undefined });
  turn.mayBegin = true;
}

/** The newcomer holds the place; `isProven` false for one that has to be followed on. */
export function promote(
  turn: Turn,
  request: SwapRequest,
  number: number,
  mode: TakeOverMode,
  isProven: boolean,
): void {
  const old = turn.active;
  const afterMs = Math.round(turn.moment.now - request.requestedAt);
  turn.log("info", "Envoy swapped", {
    generation: number,
    from: old?.number,
    mode,
    trigger: request.trigger,
    afterMs,
  });
  endSwap(turn);
  succeed(turn, old, number, mode, "Envoy starts");
  if (request.repairs === undefined) clearRefusal(turn);
  if (isProven) markProven(turn, number);
  else follow(turn, number);
  turn.settle(request, mode, { result: "swapped", mode, generation: number, afterMs });
  const newcomer = turn.envoy(number);
  if (mode === "hot" && old === undefined && newcomer !== undefined) replaceOrphan(turn, newcomer);
}

/** The newcomer has the listeners already: it serves until another one is proven beside it. */
export function adoptFaulty(turn: Turn, request: SwapRequest, number: number, reason: string): void {
  turn.log(
    "error",
    "hot restart child took over and lacks something, putting the last good bootstrap beside it",
    {
      generation: number,
      reason,
    },
  );
  endSwap(turn);
  succeed(turn, turn.active, number, "hot", reason);
  if (request.repairs === undefined) refuse(turn, request.launch, reason);
  turn.settle(request, "hot", { result: "refused", stage: "proof", reason });
  follow(turn, number);
  const { lastGood } = turn.state;
  const newcomer = turn.envoy(number);
  if (lastGood !== undefined && newcomer !== undefined)
    repair(turn, newcomer, lastGood, `the hot restart child lacks something: ${reason}`, "overlap");
}

function succeed(
  turn: Turn,
  old: Envoy | undefined,
  number: number,
  mode: TakeOverMode,
  waitingFor: string,
): void {
  if (mode === "hot") turn.do({ kind: "advance-epoch", number });
  turn.change(number, { serves: "everybody", phase: { kind: "starting", waitingFor } });
  turn.set({ place: { kind: "taken", by: number } });
  turn.do({ kind: "show-bootstrap", number });
  // Nobody is to be told that one is ready whose agent stops.
  if (!turn.isStopping) {
    turn.set({ shown: { kind: "starting", generation: number, pid: turn.envoy(number)?.pid } });
  }
  if (old === undefined) return;
  turn.do({ kind: "observe", number: old.number, occasion: "drain" });
  retire(turn, old, retirementOf(old, mode), number);
}

function retirementOf(old: Envoy, mode: TakeOverMode): Retirement {
  if (mode === "hot") return "handed-over";
  if (old.phase.kind === "hung") return "hung";
  return old.isOrphaned ? "orphaned" : "overlapped";
}

function retire(turn: Turn, old: Envoy, how: Retirement, successor: number | undefined): void {
  const asked = old.asked ?? (how === "hung" ? "hung" : "handover");
  turn.change(old.number, { asked, phase: { kind: "retiring", how } });
  turn.do({ kind: "retire", number: old.number, how, successor });
}

/** The old one serves on as it was, or as well as it can. */
export function refuseNewcomer(
  turn: Turn,
  request: SwapRequest,
  stage: SwapStage,
  reason: string,
  takesAdmin: boolean,
): void {
  turn.log("error", "new generation refused, Envoy serves on as it was", {
    serving: turn.active?.number,
    stage,
    reason,
    trigger: request.trigger,
  });
  endSwap(turn);
  // A taken port and an impossible mode are no fault of the launch: the next look may find it otherwise.
  const isToBlame = stage === "validate" || stage === "live" || stage === "proof";
  if (request.repairs === undefined && isToBlame) refuse(turn, request.launch, reason);
  turn.settle(request, "none", { result: "refused", stage, reason });
  if (takesAdmin) markBlind(turn);
  if (request.repairs !== undefined) afterFailedRepair(turn, stage);
}

function afterFailedRepair(turn: Turn, stage: SwapStage): void {
  const { active } = turn;
  if (active === undefined) return;
  if (active.phase.kind === "hung") turn.do({ kind: "kill", number: active.number });
  // It is about to abort, so that a drained end is better than none.
  else if (active.isOrphaned && stage === "mode")
    repair(turn, active, active.launch, "its parent has died", "cold");
  else if (turn.state.requests.repair === undefined && (active.isBlind || active.isOrphaned))
    mend(turn, active);
}

/** The one that serves has lost its admin interface to a hot restart child that failed. */
export function markBlind(turn: Turn): void {
  const { active } = turn;
  if (active === undefined || active.isBlind) return;
  turn.change(active.number, { isBlind: true });
  turn.log("warn", "Envoy has lost its admin interface to a hot restart child that failed, replacing it", {
    generation: active.number,
  });
  mend(turn, active);
}

/** A hot restart child has died after it took the listeners: nobody accepts connections. */
export function loseListeners(turn: Turn, request: SwapRequest, newcomer: Envoy, reason: string): void {
  turn.log("error", "hot restart child died after it took over", { reason, trigger: request.trigger });
  endSwap(turn);
  if (request.repairs === undefined) refuse(turn, request.launch, reason);
  turn.settle(request, "hot", { result: "refused", stage: "proof", reason });
  const { active } = turn;
  if (active !== undefined) retire(turn, active, "bereft", undefined);
  const diagnosis = { reason: "exited", message: reason, exitCode: 1 } as const;
  const loss = { envoy: newcomer, exit: undefined, diagnosis, kept: undefined };
  turn.set({ place: turn.isStopping ? { kind: "empty" } : { kind: "lost", loss } });
}
