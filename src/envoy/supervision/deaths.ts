/**
 * What follows from the end of a process.
 */
import type { ChildExit } from "../../process/child.ts";
import type { ExitRequest } from "../exits/exit-diagnosis.ts";
import { beginAfter, begin, passingObstacle, settleTrial, tryAgain } from "./starts.ts";
import { launchAfter } from "./good-launch.ts";
import { deathsThatCount, decideRestart } from "./restart-policy.ts";
import type { SupervisionEvent } from "./event.ts";
import type { Envoy, Loss } from "./state.ts";
import { interruptSwap, newcomerExited, newcomerExplained } from "./swaps.ts";
import { replaceOrphan, refuseRequests } from "./requests.ts";
import { endSwap } from "./take-over.ts";
import type { Turn } from "./turn.ts";

/** A process is gone. In the same turn nobody is told any more that Envoy is ready. */
export function exited(turn: Turn, envoy: Envoy, exit: ChildExit, isSignaled: boolean): void {
  const { place, shown, swap } = turn.state;
  const { number } = envoy;
  turn.remove(number);
  turn.set({ dead: [...turn.state.dead, envoy] });
  turn.do({
    kind: "explain",
    ...{ number, exit, asked: askedBefore(envoy, exit, isSignaled) },
    wasLive: envoy.provenAt !== undefined,
    wantsKept: turn.state.lastGood === undefined,
  });
  if (place.kind !== "taken" || place.by !== number) {
    turn.mayBegin = true;
    newcomerExited(turn, envoy);
    return;
  }
  if (shown.kind === "live" || shown.kind === "starting") {
    turn.set({ shown: { kind: "restarting", reason: "has died", delayMs: 0 } });
  }
  if (swap?.kind === "clearing" && swap.old === number) {
    turn.set({ place: { kind: "empty" } });
    endSwap(turn);
    if (!turn.isStopping) begin(turn, swap.request.launch, swap.request);
    return;
  }
  turn.set({ place: turn.isStopping ? { kind: "empty" } : { kind: "unexplained", dead: number } });
}

/** What the agent asked before this end; nothing when somebody else has killed an Envoy that was on its way out. */
function askedBefore({ asked }: Envoy, exit: ChildExit, isSignaled: boolean): ExitRequest | undefined {
  return asked === "handover" && exit.kind === "signaled" && !isSignaled ? undefined : asked;
}

/** It is known why. */
export function explained(turn: Turn, event: Extract<SupervisionEvent, { kind: "explained" }>): void {
  const { number, exit, diagnosis, kept } = event;
  const envoy = turn.state.dead.find((dead) => dead.number === number);
  if (envoy === undefined) return;
  turn.set({ dead: turn.state.dead.filter((dead) => dead !== envoy) });
  turn.do({ kind: "count-exit", number, diagnosis });
  const { place, swap } = turn.state;
  if (place.kind === "unexplained" && place.dead === number) {
    const loss = { envoy, exit, diagnosis, kept };
    turn.set({ place: turn.isStopping ? { kind: "empty" } : { kind: "lost", loss } });
    interruptSwap(turn);
  } else if (swap?.kind === "died" && swap.newcomer.number === number) {
    newcomerExplained(turn, swap, diagnosis);
  } else {
    otherExplained(turn, envoy, exit, diagnosis.message);
  }
}

/**
 * A hot restart parent exits with 0 when its child tells it to; the child cannot live without it before.
 */
function otherExplained(turn: Turn, envoy: Envoy, exit: ChildExit, reason: string): void {
  const { active } = turn;
  if (envoy.lineage === undefined || active?.lineage !== envoy.lineage) return;
  const ageMs = turn.moment.now - active.startedAt;
  const wasTold =
    (exit.kind === "exited" && exit.code === 0) || ageMs > active.launch.options.parentShutdownDurationMs;
  if (wasTold || envoy.number > active.number) return;
  turn.log("warn", "replaced Envoy died before its time, which will end the Envoy that took over from it", {
    generation: envoy.number,
    reason,
  });
  replaceOrphan(turn, active);
}

/** Nobody holds the place and nothing is under way that may: start again, or give up. */
export function recover(turn: Turn): void {
  const { place, swap } = turn.state;
  if (place.kind !== "lost" || swap !== undefined || turn.isStopping) return;
  const { envoy, exit } = place.loss;
  const obstacle = passingObstacle(exit);
  if (obstacle === undefined) afterDeath(turn, place.loss);
  else tryAgain(turn, envoy.launch, envoy.trial, obstacle);
}

function afterDeath(turn: Turn, loss: Loss): void {
  const { envoy, diagnosis } = loss;
  const { policy } = turn.state;
  if (envoy.trial !== undefined) settleTrial(turn, envoy, "live", diagnosis.message);
  const launch = launchAfter(turn, loss);
  // It failed its trial: the one before it is not to blame.
  if (envoy.asked === "aborted") {
    restart(turn, loss, launch, 0);
    return;
  }
  const { now, random } = turn.moment;
  const death = {
    at: now,
    servedMs: envoy.provenAt === undefined ? undefined : now - envoy.provenAt,
    launch: envoy.launch.fingerprint,
  };
  const deaths = deathsThatCount(policy.restart, [...turn.state.deaths, death]);
  turn.set({ deaths, deathsSinceProof: turn.state.deathsSinceProof + 1 });
  const decision = decideRestart(policy.restart, deaths, launch.fingerprint, random);
  const fields = {
    reason: diagnosis.message,
    cause: diagnosis.reason,
    field: diagnosis.field,
    remedy: diagnosis.remedy,
    generation: envoy.number,
    uptimeMs: Math.round(now - envoy.startedAt),
  };
  if (decision.kind === "give-up") {
    const { restarts } = turn.state.counts;
    turn.log("error", "Envoy keeps dying, giving up", { ...fields, restarts });
    giveUp(turn, loss);
    return;
  }
  turn.log("error", "Envoy died, restarting it", { ...fields, delayMs: decision.delayMs });
  turn.count("restarts");
  restart(turn, loss, launch, decision.delayMs);
}

function restart(turn: Turn, { diagnosis }: Loss, launch: Envoy["launch"], delayMs: number): void {
  turn.set({ shown: { kind: "restarting", reason: diagnosis.message, delayMs } });
  beginAfter(turn, delayMs, launch);
}

function giveUp(turn: Turn, { diagnosis }: Loss): void {
  const { exitCode, message } = diagnosis;
  const end = { kind: "gave-up", exitCode, reason: message } as const;
  turn.set({
    course: { kind: "give-up", end },
    place: { kind: "empty" },
    shown: { kind: "stopped", reason: message },
  });
  refuseRequests(turn);
}
