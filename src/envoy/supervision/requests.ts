/**
 * Requests for another Envoy: the newest one counts, each learns what became of it, and one begins when the time is
 * right.
 */
import { type Backoff, backoffDelayMs } from "../../lifecycle/backoff.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import type { SwapModeRequest } from "../inspect/swap-mode.ts";
import type { SupervisionEvent } from "./event.ts";
import { clearRefusal } from "./good-launch.ts";
import { type Envoy, servesEverybody } from "./state.ts";
import type { SwapRequest } from "./swap-request.ts";
import type { Turn } from "./turn.ts";

/** Between two looks at what keeps a request waiting, in milliseconds. */
const recheckMs = 250;

/** Between two attempts to give a cut-off Envoy a successor. */
const repairBackoff: Backoff = { initialMs: 500, multiplier: 2, maxMs: 60_000, jitter: 0.2 };

/** Somebody asks for an Envoy with this launch. */
export function requested(turn: Turn, event: Extract<SupervisionEvent, { kind: "swap-requested" }>): void {
  const { launch, trigger, isForced, asker } = event;
  const { refused, policy } = turn.state;
  const request: SwapRequest = {
    ...{ launch, trigger, mode: policy.swapMode, repairs: undefined },
    ...{ requestedAt: turn.moment.now, askers: [asker] },
  };
  if (!isForced && refused?.fingerprint === launch.fingerprint) {
    const { reason } = refused;
    turn.log("info", "configuration is as it was when it was refused", { trigger, reason });
    turn.answer(request, { result: "refused", stage: "live", reason: `as before: ${reason}` });
    return;
  }
  if (turn.isStopping) {
    turn.answer(request, { result: "stopped" });
    return;
  }
  const { change: waiting, repair } = turn.state.requests;
  turn.set({ requests: { repair, change: joined(turn, waiting, request) } });
  turn.mayBegin = true;
}

/** Two requests for the same Envoy are one, and both learn what became of it. */
function joined(turn: Turn, waiting: SwapRequest | undefined, request: SwapRequest): SwapRequest {
  if (waiting?.launch.fingerprint === request.launch.fingerprint) {
    return { ...waiting, askers: [...waiting.askers, ...request.askers] };
  }
  if (waiting !== undefined) turn.answer(waiting, { result: "superseded" });
  return request;
}

/** Replace the active Envoy because of what has become of it, before anything else. */
export function repair(
  turn: Turn,
  { number }: Envoy,
  launch: PreparedLaunch,
  trigger: string,
  mode: SwapModeRequest,
): void {
  if (turn.isStopping) return;
  const request: SwapRequest = {
    ...{ launch, trigger, mode, repairs: number },
    ...{ requestedAt: turn.moment.now, askers: [] },
  };
  turn.set({ requests: { ...turn.state.requests, repair: request } });
  turn.mayBegin = true;
}

/** Give an Envoy that is cut off a successor: first by hot restart, then beside it, then again with back-off. */
export function mend(turn: Turn, envoy: Envoy): void {
  const attempt = turn.state.failedRepairs;
  turn.set({ failedRepairs: attempt + 1 });
  if (attempt <= 1) {
    repair(turn, envoy, envoy.launch, "the running Envoy is cut off", attempt === 0 ? "hot" : "overlap");
    return;
  }
  turn.do({
    kind: "set-timer",
    timer: { kind: "mend", number: envoy.number },
    ms: backoffDelayMs(repairBackoff, attempt - 2, turn.moment.random),
  });
}

/** The time for the next attempt has come. */
export function mendIsDue(turn: Turn, number: number): void {
  const { active } = turn;
  if (active?.number !== number) return;
  repair(turn, active, active.launch, "the running Envoy is cut off", "overlap");
}

/** Its hot restart parent has died, and it will abort: another one takes over before. */
export function replaceOrphan(turn: Turn, { number, launch }: Envoy): void {
  const reason = "its parent has died";
  turn.change(number, { isOrphaned: true });
  turn.do({ kind: "close-lineage", number, reason });
  const orphan = turn.envoy(number);
  if (orphan !== undefined) repair(turn, orphan, launch, reason, "overlap");
}

/** A request that was interrupted comes again, unless a newer one has come. */
export function putBack(turn: Turn, request: SwapRequest): void {
  const { repair, change } = turn.state.requests;
  if (turn.isStopping) turn.answer(request, { result: "stopped" });
  else if (request.repairs !== undefined) {
    turn.set({ requests: { change, repair: repair ?? request } });
  } else if (change === undefined) turn.set({ requests: { repair, change: request } });
  else turn.answer(request, { result: "superseded" });
}

/** No more requests are served. */
export function refuseRequests(turn: Turn): void {
  const { change } = turn.state.requests;
  if (change !== undefined) turn.answer(change, { result: "stopped" });
  turn.set({ requests: { repair: undefined, change: undefined }, waitingFor: undefined });
}

/** Begin what can begin. */
export function beginRequest(turn: Turn): void {
  const { swap, requests } = turn.state;
  if (swap !== undefined || turn.isStopping) return;
  const request = requests.repair ?? requests.change;
  if (request === undefined) {
    turn.set({ waitingFor: undefined });
    return;
  }
  const { active } = turn;
  // The Envoy that was to be repaired has ended in the meantime.
  if (request.repairs !== undefined && request.repairs !== active?.number) {
    take(turn, request);
    turn.set({ failedRepairs: 0 });
    beginRequest(turn);
    return;
  }
  if (request.repairs === undefined && request.launch.fingerprint === active?.launch.fingerprint) {
    take(turn, request);
    const { trial } = active;
    if (trial !== undefined) {
      // It is not known yet whether it will serve.
      turn.change(active.number, { trial: joined(turn, trial, request) });
      beginRequest(turn);
      return;
    }
    turn.log("info", "Envoy runs with this configuration already", { trigger: request.trigger });
    clearRefusal(turn);
    turn.answer(request, { result: "unchanged", generation: turn.state.newest });
    beginRequest(turn);
    return;
  }
  const reason = obstacle(turn, request, active);
  if (reason !== undefined) {
    wait(turn, request, reason);
    return;
  }
  take(turn, request);
  turn.set({ swap: { kind: "checking", request } });
  const from = servesEverybody(active) ? active : undefined;
  turn.do({
    ...{ kind: "check", request, from: from?.number },
    isSilent: from?.isBlind === true || from?.phase.kind === "hung",
  });
}

/** Look again soon. */
export function wait(turn: Turn, { trigger }: SwapRequest, reason: string): void {
  if (reason !== turn.state.waitingFor) turn.log("info", "a swap of Envoy waits", { trigger, reason });
  if (!turn.state.isRecheckSet) turn.do({ kind: "set-timer", timer: { kind: "recheck" }, ms: recheckMs });
  turn.set({ waitingFor: reason, isRecheckSet: true });
}

function take(turn: Turn, request: SwapRequest): void {
  const { repair, change } = turn.state.requests;
  turn.set({
    requests: {
      repair: repair === request ? undefined : repair,
      change: change === request ? undefined : change,
    },
  });
}

/** Why it cannot begin now, as far as supervision itself is concerned. */
function obstacle(turn: Turn, { repairs }: SwapRequest, active: Envoy | undefined): string | undefined {
  const { hasServices, place, lastGood, deathsSinceProof, envoys } = turn.state;
  if (!hasServices) return "the agent is still starting";
  if (!servesEverybody(active)) {
    // An Envoy that never served has nothing to lose; one that comes back from a death is waited for.
    const isRecovering = lastGood !== undefined && deathsSinceProof < 2;
    const isUndecided = place.kind === "unexplained" || place.kind === "lost";
    return isRecovering || isUndecided ? "Envoy is being restarted" : undefined;
  }
  if (repairs !== undefined) return undefined;
  if (active.asked !== undefined) return "Envoy is being replaced";
  if (active.drained !== "no") return "Envoy's listeners are being drained on request";
  if (envoys.some(({ phase }) => phase.kind === "retiring")) return "a replaced Envoy still has connections";
  return undefined;
}
