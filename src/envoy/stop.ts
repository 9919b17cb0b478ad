/**
 * The end of the Envoy that is active when the agent is asked to stop.
 */
import { errorMessage } from "../lifecycle/error-message.ts";
import type { Logger } from "../telemetry/log.ts";
import { drainUntilGone } from "./drain/drain-until-gone.ts";
import type { Seat } from "./seat.ts";
import type { GenerationObserver } from "./supervisor-options.ts";

/** Who asks for the end, and how urgently. None is forgotten for another that came before it. */
export interface StopRequests {
  /** Drain, and end. */
  readonly shutdown: AbortSignal;
  /** The application asks for the end, or is gone: a drain that is under way has less to wait for. */
  readonly applicationEnded: AbortSignal;
  /** End at once. */
  readonly hurry: AbortSignal;
}

/** What an end is told with. */
export interface StopDependencies {
  readonly log: Logger;
  readonly observer: GenerationObserver;
  /** Why the agent stops. */
  readonly reason: unknown;
  /** Somebody has had it drained before: it ends at once. */
  readonly isDrained: boolean;
}

/** Drain an Envoy that serves, and end it. Resolves when it is gone. */
export async function endActive(seat: Seat, requests: StopRequests, deps: StopDependencies): Promise<void> {
  const { generation, serves } = seat;
  const { hurry, applicationEnded } = requests;
  const { log, observer, reason, isDrained } = deps;
  log.info("stopping", { reason: errorMessage(reason), generation: generation.number, serves });
  if (!isDrained && serves !== "nobody") {
    observer.ending(generation, "drain");
    await drainUntilGone(generation, serves === "everybody", { cut: hurry, applicationEnded }, log);
  }
  seat.asked ??= "stop";
  await generation.stop(hurry);
}
