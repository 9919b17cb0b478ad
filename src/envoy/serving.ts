/**
 * Whether the active Envoy serves: asked once until it is proven, and again at every probe.
 */
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import { describeBusy } from "./admin-question.ts";
import { bringUp, type BringUpResult } from "./swap/bring-up.ts";
import { findMissingSecrets } from "./swap/proof.ts";
import { type EnvoyReadiness, envoyReadiness, readinessStats } from "./readiness.ts";
import type { Seat } from "./seat.ts";
import type { EnvoyState } from "./state.ts";
import type { SwapLimits } from "./supervision-options.ts";

/** Whether Envoy serves, and if not, why. */
export async function askWhetherServing(
  state: EnvoyState,
  active: Seat | undefined,
  hasAdmin: boolean,
): Promise<EnvoyReadiness> {
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
      return askActive(active, hasAdmin);
  }
}

/** Resolves once Envoy serves, or when `signal` aborts. */
export async function untilLive(state: ReadonlyWatch<EnvoyState>, signal: AbortSignal): Promise<void> {
  for await (const { kind } of state.changes(signal)) if (kind === "live") return;
}

/**
 * A proven Envoy is asked each time, never cached: one that hangs is not ready. One that is busy serves: its workers
 * need no main thread. One whose admin interface a newcomer has taken cannot be asked; it is judged by its process
 * alone.
 */
async function askActive(seat: Seat, hasAdmin: boolean): Promise<EnvoyReadiness> {
  if (!seat.isProven) return { ready: false, reason: seat.waitingFor };
  if (!hasAdmin || seat.isBlind) return { ready: true };
  const { admin, launch, questions } = seat.generation;
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

/**
 * Follow an Envoy without a predecessor until it is proven. Never rejects.
 *
 * @param limits undefined waits for ever, as there is nothing to go back to
 */
export function proveServing(
  seat: Seat,
  limits: SwapLimits | undefined,
  cancel: AbortSignal,
): Promise<BringUpResult> {
  const { generation } = seat;
  return bringUp(
    generation,
    {
      onClusters: () => undefined,
      onWaiting: (reason) => {
        seat.waitingFor = reason;
      },
      prove: () => {
        if (seat.serves === "nobody") seat.serves = "whoever-connects";
        return findMissingSecrets(generation.admin);
      },
      liveWithinMs: limits?.liveWithinMs,
      provenWithinMs: limits?.provenWithinMs,
    },
    cancel,
  );
}
