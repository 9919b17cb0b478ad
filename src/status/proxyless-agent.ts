/**
 * The agent without Envoy whose status port this is: it leaves no records, so it is asked.
 */
import { portOwners } from "../net/port-owner.ts";
import { AgentClient } from "./client.ts";
import { reportRoute } from "./routes/report.ts";

/** Longest wait for an answer, in milliseconds. */
const reportMs = 1_000;

/** Its pid; undefined when none runs. */
export async function findProxylessAgent(statusPort: number): Promise<number | undefined> {
  if (statusPort === 0) return undefined;
  try {
    const { agent } = await AgentClient.onPort(statusPort).ask(reportRoute, { withinMs: reportMs });
    if (agent.runsEnvoy) return undefined;
    // Whoever answers must also be who listens.
    return portOwners([statusPort]).some(({ pid }) => pid === agent.pid) ? agent.pid : undefined;
  } catch {
    return undefined;
  }
}
