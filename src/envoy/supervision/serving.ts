/**
 * Whether the active Envoy serves, asked at every probe.
 */
import type { ReadonlyWatch } from "../../lifecycle/watch.ts";
import { describeBusy } from "../admin/question.ts";
import type { Generation } from "../generation/generation.ts";
import { describeHeld } from "../admin/held-clusters.ts";
import { type EnvoyReadiness, envoyReadiness, mayBeHeldByClusters, unready } from "../admin/readiness.ts";
import type { EnvoyState } from "./shown.ts";
import type { Envoy } from "./state.ts";

/** What can be said of it without asking Envoy: a verdict, or that the answer is Envoy's. */
export function readinessWithoutAsking(
  state: EnvoyState,
  active: Envoy | undefined,
  hasAdmin: boolean,
): EnvoyReadiness | "ask" {
  switch (state.kind) {
    case "draining":
      return unready("process", "Envoy is draining");
    case "stopped":
      return unready("process", `Envoy is stopped: ${state.reason}`);
    case "restarting":
      return unready("process", `Envoy ${state.reason}; it is being restarted`);
    case "starting":
    case "live":
      if (active === undefined) return unready("process", "Envoy is being restarted");
      if (active.provenAt !== undefined) return !hasAdmin || active.isBlind ? { ready: true } : "ask";
      return active.phase.kind === "starting" && hasAdmin ? "ask" : unready("generation", waitingFor(active));
  }
}

function waitingFor({ phase }: Envoy): string {
  return phase.kind === "starting" ? phase.waitingFor : "Envoy is being replaced";
}

/**
 * Whether Envoy serves, and if not, why.
 *
 * Envoy is asked for each probe, or for those that come at once: one that hangs is not ready. One that is busy serves:
 * its workers need no main thread. One whose admin interface a newcomer has taken cannot be asked; it is judged by its
 * process alone. One that is not proven yet is asked what it lacks, and is not ready whatever it says.
 */
export async function askWhetherServing(
  state: EnvoyState,
  active: Envoy | undefined,
  generation: Generation | undefined,
  hasAdmin: boolean,
): Promise<EnvoyReadiness> {
  const verdict = readinessWithoutAsking(state, active, hasAdmin);
  if (verdict !== "ask") return verdict;
  if (generation === undefined || active === undefined) return unready("process", "Envoy is being restarted");
  const isProven = active.provenAt !== undefined;
  // What it said before it was proven is not what it is now.
  const answer = await generation.readinessAnswer.get(active.provenAt);
  switch (answer.kind) {
    case "answered": {
      const readiness = envoyReadiness(answer.value, generation.launch.awaits);
      if (readiness.ready) return isProven ? readiness : unready("generation", waitingFor(active));
      return mayBeHeldByClusters(answer.value) ? await heldReadiness(generation, readiness) : readiness;
    }
    case "busy":
      return isProven
        ? { ready: true, note: describeBusy(answer.forMs) }
        : unready("process", describeBusy(answer.forMs));
    case "silent":
      // One that has not opened its admin interface yet only starts.
      return unready(
        "process",
        isProven ? `Envoy's admin does not answer: ${answer.reason}` : waitingFor(active),
      );
  }
}

/** The clusters that hold Envoy back, where there are any: it has not asked the control plane for more. */
async function heldReadiness(generation: Generation, otherwise: EnvoyReadiness): Promise<EnvoyReadiness> {
  const held = await generation.heldAnswer.get();
  const reason = held.kind === "answered" ? describeHeld(held.value) : undefined;
  return reason === undefined ? otherwise : unready("clusters", reason);
}

/** Resolves once Envoy serves, or when `signal` aborts. */
export async function untilLive(state: ReadonlyWatch<EnvoyState>, signal: AbortSignal): Promise<void> {
  for await (const { kind } of state.changes(signal)) if (kind === "live") return;
}
