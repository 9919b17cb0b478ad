/**
 * Readiness in the log: one line whenever a probe learns of another one, or of another reason.
 */
import type { Logger } from "../telemetry/log.ts";
import type { Readiness } from "./contract/readiness.ts";

/** The same probe, whose changes are told. */
export function announced(probe: () => Promise<Readiness>, log: Logger): () => Promise<Readiness> {
  let told: string | undefined;
  return async () => {
    const readiness = await probe();
    const words = readiness.ready ? "" : withoutNumbers(readiness.reason);
    if (words !== told) {
      told = words;
      if (readiness.ready) log.info("Envoy proxy is ready");
      else log.warn("Envoy proxy is NOT ready", { reason: readiness.reason });
    }
    return readiness;
  };
}

/** A count or an age that grows is no other reason. */
function withoutNumbers(reason: string): string {
  return reason.replaceAll(/\d+/g, "");
}
