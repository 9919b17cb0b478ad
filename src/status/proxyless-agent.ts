/**
 * The agent whose status port this is: one without Envoy leaves no records, and one whose Envoy has just died has none
 * for a moment, so it is asked.
 */
import { portOwners } from "../net/port-owner.ts";
import { AgentClient } from "./client.ts";
import type { AgentReport } from "./contract/agent-report.ts";
import { reportRoute } from "./routes/report.ts";

/** Longest wait for an answer, in milliseconds. */
const reportMs = 1_000;

/** Its pid; undefined when none runs, or one that runs an Envoy. */
export function findProxylessAgent(statusPort: number): Promise<number | undefined> {
  return askForPid(statusPort, ({ runsEnvoy }) => !runsEnvoy);
}

/** Its pid, whether it runs an Envoy or not; undefined when none runs. */
export function findAgentOnPort(statusPort: number): Promise<number | undefined> {
  return askForPid(statusPort, () => true);
}

async function askForPid(
  statusPort: number,
  isMeant: (agent: AgentReport["agent"]) => boolean,
): Promise<number | undefined> {
  if (statusPort === 0) return undefined;
  try {
    const { agent } = await AgentClient.onPort(statusPort).ask(reportRoute, { withinMs: reportMs });
    if (!isMeant(agent)) return undefined;
    // Whoever answers must also be who listens.
    return portOwners([statusPort]).some(({ pid }) => pid === agent.pid) ? agent.pid : undefined;
  } catch {
    return undefined;
  }
}
