/** `/debug/log`: what the agent has said lately. */
import type { LogRecord } from "../../telemetry/journal.ts";
import type { JsonRoute } from "../contract/route.ts";

/** What it works with. */
export interface LogParts {
  readonly journal: {
    /** Oldest first. */
    records(): readonly LogRecord[];
  };
}

/** The last lines from `info` on, whatever the log's levels are. */
export const logRoute: JsonRoute<LogParts, readonly LogRecord[]> = {
  path: "/debug/log",
  method: "GET",
  scope: "loopback",
  describe: "The last lines of the agent's own log, as JSON; `outrider status` prints the newest.",
  isBody: (answer): answer is readonly LogRecord[] => Array.isArray(answer),
  handle: ({ journal }) => ({ kind: "json", value: journal.records() }),
};
