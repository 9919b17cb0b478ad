/**
 * A drain that ends early when its Envoy does.
 */
import type { Logger } from "../telemetry/log.ts";
import { drain } from "./drain.ts";
import type { Generation } from "./generation.ts";

/** Drain an Envoy that is about to be stopped, until its time is over, it is gone, or `cut` aborts. */
export async function drainUntilGone(generation: Generation, cut: AbortSignal, log: Logger): Promise<void> {
  const gone = new AbortController();
  void generation.exited.then(() => {
    gone.abort();
  });
  await drain(generation.admin, generation.launch.options, AbortSignal.any([cut, gone.signal]), log);
}
