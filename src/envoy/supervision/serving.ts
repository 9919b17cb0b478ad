/**
 * Whether the active Envoy serves, asked at every probe.
 */
import type { ReadonlyWatch } from "../../lifecycle/watch.ts";
import { describeBusy } from "../admin/question.ts";
import type { Generation } from "../generation/generation.ts";
import { type EnvoyReadiness, envoyReadiness, readinessStats } from "../admin/readiness.ts";
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
      return { ready: false, reason: "Envoy is draining" };
    case "stopped":
      return { ready: false, reason: `Envoy is stopped: ${state.reason}` };
    case "restarting":
      return { ready: false, reason: `Envoy ${state.reason}; it is being restarted` };
    case "starting":
    case "live":
      if (active === undefined) return { ready: false, reason: "Envoy is being restarted" };
      if (active.provenAt === undefined) return { ready: false, reason: waitingFor(active) };
      return !hasAdmin || active.isBlind ? { ready: true } : "ask";
  }
}

function waitingFor({ phase }: Envoy): string {
  return phase.kind === "starting" ? phase.waitingFor : "Envoy is being replaced";
}

/**
 * Whether Envoy serves, and if not, why.
 *
 * A proven Envoy is asked each time, never cached: one that hangs is not ready. One that is busy serves: its workers
 * need no main thread. One whose admin interface a newcomer has taken cannot be asked; it is judged by its process
 * alone.
 */
export async function askWhetherServing(
  state: EnvoyState,
  active: Envoy | undefined,
  generation: Generation | undefined,
  hasAdmin: boolean,
): Promise<EnvoyReadiness> {
  const verdict = readinessWithoutAsking(state, active, hasAdmin);
  if (verdict !== "ask") return verdict;
  if (generation === undefined) return { ready: false, reason: "Envoy is being restarted" };
  const { admin, launch, questions } = generation;
  const answer = await questions.ask(() => admin.stats(readinessStats));
  switch (answer.kind) {
    case "answered":
      return envoyReadiness(answer.value, launch.awaits);
    case "busy":
      return { ready: true, note: describeBusy(answer.forMs) };
    case "silent":
      return { ready: false, reason: `Envoy's admin does not answer: ${answer.reason}` };
  }
}

/** Resolves once Envoy serves, or when `signal` aborts. */
export async function untilLive(state: ReadonlyWatch<EnvoyState>, signal: AbortSignal): Promise<void> {
  for await (const { kind } of state.changes(signal)) if (kind === "live") return;
}
