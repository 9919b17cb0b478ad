/**
 * A drain that ends early when its Envoy does.
 */
import type { Logger } from "../../telemetry/log.ts";
import { planDrain } from "./drain-plan.ts";
import { drain } from "./drain.ts";
import type { Generation } from "../generation/generation.ts";

/** What may shorten it. */
export interface DrainRequests {
  /** Ends it at once. */
  readonly cut: AbortSignal;
  /** The application asked for the stop, or is gone; undefined where that changes nothing. */
  readonly applicationEnded: AbortSignal | undefined;
}

/**
 * Drain an Envoy that is about to be stopped, until its time is over, it is gone, or `cut` aborts.
 *
 * @param wasReady false for one that was merely LIVE: whoever is connected is all that it has to serve
 */
export async function drainUntilGone(
  generation: Generation,
  wasReady: boolean,
  { cut, applicationEnded }: DrainRequests,
  log: Logger,
): Promise<void> {
  const { gone, launch } = generation;
  const { options } = launch;
  await drain(
    generation.admin,
    () => planDrain(options, { wasReady, applicationEnded: applicationEnded?.aborted === true }),
    options,
    { cut, gone, replan: applicationEnded },
    log,
  );
}
