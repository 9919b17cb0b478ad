/**
 * A drain that ends early when its Envoy does.
 */
import type { Logger } from "../../telemetry/log.ts";
import { planDrain } from "./drain-plan.ts";
import { drain } from "./drain.ts";
import type { Generation } from "../generation/generation.ts";

/**
 * Drain an Envoy that is about to be stopped, until its time is over, it is gone, or `cut` aborts.
 *
 * @param reason why it is stopped
 */
export async function drainUntilGone(
  generation: Generation,
  reason: unknown,
  cut: AbortSignal,
  log: Logger,
): Promise<void> {
  const gone = new AbortController();
  void generation.exited.then(() => {
    gone.abort();
  });
  const { options } = generation.launch;
  await drain(
    generation.admin,
    planDrain(options, reason),
    options,
    AbortSignal.any([cut, gone.signal]),
    log,
  );
}
