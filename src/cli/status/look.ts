/**
 * All that a running agent tells of itself at one moment.
 */
import { AgentClient } from "../../status/client.ts";
import type { AgentReport } from "../../status/contract/agent-report.ts";
import { logRoute } from "../../status/routes/log.ts";
import { reportRoute } from "../../status/routes/report.ts";
import type { LogRecord } from "../../telemetry/journal.ts";
import { exchangesRoute } from "../../xdsproxy/report/exchanges-route.ts";
import type { Exchange } from "../../xdsproxy/report/recorder.ts";

/** What was seen. */
export interface AgentLook {
  readonly report: AgentReport;
  /** The newest exchange of each type, in the order in which the types were first seen. */
  readonly types: readonly Exchange[];
  /** The last lines of its log, oldest first. */
  readonly log: readonly LogRecord[];
}

/** @throws AgentError when the agent does not give its report; what it cannot tell beside that is left out */
export async function lookAtAgent(port: number, signal: AbortSignal): Promise<AgentLook> {
  const agent = AgentClient.onPort(port);
  const [report, exchanges, log] = await Promise.all([
    agent.ask(reportRoute, { signal }),
    agent.ask(exchangesRoute, { signal }).catch(() => []),
    agent.ask(logRoute, { signal }).catch(() => []),
  ]);
  return { report, types: newestOfEachType(exchanges), log };
}

/** @param exchanges oldest first */
export function newestOfEachType(exchanges: readonly Exchange[]): readonly Exchange[] {
  return [...new Map(exchanges.map((exchange) => [exchange.typeUrl, exchange])).values()];
}
