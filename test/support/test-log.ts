/** A logger that keeps its lines. */
import { createLogger, type Logger } from "../../src/telemetry/log.ts";

export interface TestLog {
  readonly log: Logger;
  /** Text layout, without the time. */
  readonly lines: readonly string[];
}

export function testLog(): TestLog {
  const lines: string[] = [];
  const log = createLogger({
    json: false,
    levels: { default: "info" },
    write: (line) => lines.push(line.slice(line.indexOf("\t") + 1).trimEnd()),
    now: () => new Date(),
  });
  return { log, lines };
}
