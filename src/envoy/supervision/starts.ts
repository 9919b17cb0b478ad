/**
 * From the start of an Envoy that takes over from nobody to the proof that it serves.
 *
 * One that cannot be started for reasons that are not its own (a config path that is full or read-only, no descriptor
 * or process to spare) is started again until it can be, or the agent is to stop.
 */
import { type Backoff, backoffDelayMs } from "../../lifecycle/backoff.ts";
import type { ChildExit } from "../../process/child.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import type { ProofResult } from "./event.ts";
import { accept, refuse } from "./good-launch.ts";
import type { Envoy, Phase } from "./state.ts";
import type { SwapRequest } from "./swap-request.ts";
import type { Turn } from "./turn.ts";

const backoff: Backoff = { initialMs: 200, multiplier: 2, maxMs: 5_000, jitter: 0.2 };

const remedy = "make configPath writable and make room in it; raise the limit of open files or processes";

/** A generation that has just been asked for, and its number. */
export function addEnvoy(
  turn: Turn,
  launch: PreparedLaunch,
  phase: Phase,
  more: { readonly trial?: SwapRequest | undefined; readonly lineage?: number | undefined } = {},
): number {
  const number = turn.state.newest + 1;
  const envoy: Envoy = {
    number,
    launch,
    pid: undefined,
    startedAt: turn.moment.now,
    lineage: more.lineage,
    phase,
    provenAt: undefined,
    serves: "nobody",
    asked: undefined,
    trial: more.trial,
    isBlind: false,
    isOrphaned: false,
    drained: "no",
  };
  turn.set({ newest: number, envoys: [...turn.state.envoys, envoy] });
  return number;
}

/** Start an Envoy that takes over from nobody, now. Where another one waited for its time, that is off. */
export function begin(turn: Turn, launch: PreparedLaunch, trial: SwapRequest | undefined): void {
  const { place } = turn.state;
  if (place.kind === "waiting" && place.trial !== undefined && place.trial !== trial) {
    turn.answer(place.trial, { result: "superseded" });
  }
  const number = addEnvoy(turn, launch, { kind: "starting", waitingFor: "Envoy starts" }, { trial });
  turn.set({ place: { kind: "taken", by: number } });
  turn.do({ kind: "start", number, launch, descent: { kind: "first" } });
}

/** The same after a delay. */
export function beginAfter(turn: Turn, delayMs: number, launch: PreparedLaunch, trial?: SwapRequest): void {
  if (delayMs === 0) {
    begin(turn, launch, trial);
    return;
  }
  const number = turn.state.newest + 1;
  turn.set({ place: { kind: "waiting", number, launch, trial } });
  turn.do({ kind: "set-timer", timer: { kind: "start", number }, ms: delayMs });
}

/** The time has come for the one that waits. */
export function startIsDue(turn: Turn, number: number): void {
  const { place } = turn.state;
  if (place.kind === "waiting" && place.number === number) begin(turn, place.launch, place.trial);
}

/** The active one runs. */
export function started(turn: Turn, { number, pid, launch }: Envoy): void {
  const { startsInVain } = turn.state;
  if (pid !== undefined && startsInVain > 0) {
    turn.log("info", "Envoy could be started again", { failures: startsInVain });
    turn.set({ startsInVain: 0 });
  }
  turn.do({ kind: "show-bootstrap", number });
  turn.set({ shown: { kind: "starting", generation: number, pid } });
  turn.log("info", "Envoy started", { generation: number, pid, binary: launch.binary });
  follow(turn, number);
}

/** Its files could not be written. Nothing has been served when that is so for the very first one: the agent fails. */
export function notStarted(turn: Turn, { number, launch, trial }: Envoy, reason: string): void {
  turn.remove(number);
  turn.set({ place: { kind: "empty" } });
  if (number === 1) turn.do({ kind: "fail", reason });
  else tryAgain(turn, launch, trial, reason);
}

/** Start it again later, for reasons that are not Envoy's. */
export function tryAgain(
  turn: Turn,
  launch: PreparedLaunch,
  trial: SwapRequest | undefined,
  reason: string,
): void {
  const { startsInVain } = turn.state;
  const delayMs = backoffDelayMs(backoff, startsInVain, turn.moment.random);
  const fields = { reason, remedy, delayMs };
  if (startsInVain === 0) turn.log("error", "Envoy cannot be started, trying again until it can", fields);
  else turn.log("debug", "Envoy still cannot be started", fields);
  turn.set({ startsInVain: startsInVain + 1 });
  turn.count("failedStarts");
  turn.set({ shown: { kind: "restarting", reason: `cannot be started: ${reason}`, delayMs } });
  beginAfter(turn, delayMs, launch, trial);
}

/** The system lacks something that others may give back. */
const passingCodes: readonly string[] = ["EMFILE", "ENFILE", "EAGAIN", "ENOMEM"];

/** Why a process was not started for want of something that may come back; undefined for any other end. */
export function passingObstacle(exit: ChildExit | undefined): string | undefined {
  if (exit?.kind !== "not-started") return undefined;
  return exit.code !== undefined && passingCodes.includes(exit.code) ? exit.message : undefined;
}

/** Have the active Envoy proven, within limits only when there is something good to go back to. */
export function follow(turn: Turn, number: number): void {
  const isOnTrial = turn.envoy(number)?.trial !== undefined && turn.state.lastGood !== undefined;
  turn.do({ kind: "prove", number, limits: isOnTrial ? turn.state.policy.swap : undefined });
}

/** The proof of an Envoy that holds the place has come to an end. */
export function afterProof(turn: Turn, { number, startedAt, phase }: Envoy, result: ProofResult): void {
  turn.mayBegin = true;
  if (phase.kind !== "starting") return;
  switch (result.kind) {
    case "proven":
      turn.log("info", "Envoy is live", {
        generation: number,
        afterMs: Math.round(turn.moment.now - startedAt),
      });
      markProven(turn, number);
      break;
    case "never-live":
    case "faulty":
      // Only a trial has a deadline: the launch before it was good.
      failTrial(turn, number, result.kind === "faulty" ? "proof" : "live", result.reason);
      turn.change(number, { asked: "aborted", phase: { kind: "ending" } });
      turn.do({ kind: "kill", number });
      break;
    case "cancelled":
      break;
  }
}

/** The active Envoy serves. */
export function markProven(turn: Turn, number: number): void {
  const envoy = turn.envoy(number);
  if (envoy === undefined) return;
  const { pid, launch, trial } = envoy;
  const { now } = turn.moment;
  turn.change(number, { provenAt: now, serves: "everybody", trial: undefined, phase: { kind: "serving" } });
  turn.set({ wasEverReady: true, deathsSinceProof: 0 });
  turn.do({ kind: "learn-listeners", number });
  // An agent that stops tells nobody that it is ready.
  if (!turn.isStopping) turn.set({ shown: { kind: "live", generation: number, pid } });
  turn.do({ kind: "observe", number, occasion: "proven" });
  if (trial !== undefined) {
    const afterMs = Math.round(now - trial.requestedAt);
    turn.settle(trial, "cold", { result: "swapped", mode: "cold", generation: number, afterMs });
  }
  // Before anything has served for long there is nothing better to go back to.
  if (turn.state.lastGood === undefined) accept(turn, launch);
  turn.do({
    kind: "set-timer",
    timer: { kind: "probation", number },
    ms: turn.state.policy.swap.probationMs,
  });
}

/** A launch that a cold swap has put on trial has failed. */
export function failTrial(turn: Turn, number: number, stage: "live" | "proof", reason: string): void {
  const envoy = turn.envoy(number);
  if (envoy === undefined) return;
  settleTrial(turn, envoy, stage, reason);
  turn.change(number, { trial: undefined });
}

/** The same for one that is dead. */
export function settleTrial(
  turn: Turn,
  { number, launch, trial }: Envoy,
  stage: "live" | "proof",
  reason: string,
): void {
  refuse(turn, launch, reason);
  if (trial === undefined) return;
  turn.log("error", "new generation failed, going back", { generation: number, stage, reason });
  turn.settle(trial, "cold", { result: "refused", stage, reason });
}
