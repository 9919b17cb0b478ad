/**
 * Which launch is good, which one was refused, and which one to start after a death.
 */
import type { PreparedLaunch } from "../generation/launch.ts";
import type { Loss } from "./state.ts";
import type { Turn } from "./turn.ts";

/** From now on `launch` is what to go back to. */
export function accept(turn: Turn, launch: PreparedLaunch): void {
  const { lastGood, refused } = turn.state;
  if (refused?.fingerprint === launch.fingerprint) clearRefusal(turn);
  if (lastGood?.fingerprint === launch.fingerprint) return;
  turn.set({ lastGood: launch });
  turn.do({ kind: "keep-launch", launch });
}

/** A launch has served for as long as a good one must; one that was refused all the same stays refused. */
export function passProbation(turn: Turn, number: number): void {
  const { active } = turn;
  if (active?.number !== number || active.provenAt === undefined) return;
  if (turn.state.refused?.fingerprint !== active.launch.fingerprint) accept(turn, active.launch);
}

/** It has failed: it is not tried again unless that is asked for. */
export function refuse(turn: Turn, { fingerprint }: PreparedLaunch, reason: string): void {
  turn.set({ refused: { fingerprint, reason } });
}

/** Forget what was refused: the running launch is what is wanted. */
export function clearRefusal(turn: Turn): void {
  turn.set({ refused: undefined });
}

/**
 * What to start after a death.
 *
 * A launch that has served is started again. One that never did, or not for long, gives way to the last good one:
 * that of this agent, or for a bootstrap that Envoy refuses, the one that an earlier agent has left.
 */
export function launchAfter(turn: Turn, { envoy: { launch }, diagnosis, kept }: Loss): PreparedLaunch {
  const { lastGood } = turn.state;
  if (lastGood?.fingerprint === launch.fingerprint) return launch;
  const fallback = lastGood ?? (diagnosis.reason === "configuration" ? kept : undefined);
  if (fallback === undefined || fallback.fingerprint === launch.fingerprint) return launch;
  refuse(turn, launch, diagnosis.message);
  turn.log("error", "going back to the last good bootstrap", { reason: diagnosis.message });
  return fallback;
}
