/**
 * Readiness in the log: one line whenever a probe learns of another one.
 */
import type { Logger } from "../telemetry/log.ts";
import type { Readiness } from "./contract/readiness.ts";

/** The same probe, whose changes are told. */
export function announced(probe: () => Promise<Readiness>, log: Logger): () => Promise<Readiness> {
  let wasReady: boolean | undefined;
  return async () => {
    const readiness = await probe();
    if (readiness.ready !== wasReady) {
      wasReady = readiness.ready;
      if (readiness.ready) log.info("Envoy proxy is ready");
      else log.warn("Envoy proxy is NOT ready", { reason: readiness.reason });
    }
    return readiness;
  };
}
