/** A log that writes nothing: a million lines would be all that is measured. */
import { createLogger, type Logger } from "../../src/telemetry/log.ts";

export function quietLog(): Logger {
  return createLogger({
    json: false,
    levels: { default: "debug" },
    write: () => undefined,
    now: () => new Date(),
  });
}
