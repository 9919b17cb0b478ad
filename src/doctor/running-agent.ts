/**
 * The agent that runs from this configPath, and the Envoys that a killed one left, from the records beside them.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type FoundRecord, readRecord } from "../envoy/generation/process-record.ts";
import { bootId, isAlive, type ProcessIdentity } from "../process/identity.ts";
import { portOwners } from "../net/port-owner.ts";
import { AgentClient } from "../status/client.ts";
import { reportRoute } from "../status/routes/report.ts";

/** Who runs from a configPath. */
export interface RunningAgent {
  /** Undefined when no agent runs. */
  readonly pid: number | undefined;
  /** Envoys of the running agent. */
  readonly envoys: readonly number[];
  /** Envoys whose agent is gone. */
  readonly strays: readonly number[];
}

/** @param boot this boot of the machine: a record of an earlier one speaks of nobody who lives */
export function whoRuns(
  found: readonly FoundRecord[],
  boot: string | undefined,
  lives: (identity: ProcessIdentity) => boolean,
): RunningAgent {
  const records = found
    .flatMap((one) => (one.kind === "record" ? [one.record] : []))
    .filter(({ bootId }) => bootId === undefined || bootId === boot);
  const envoys = records.filter(({ envoy }) => lives(envoy));
  return {
    pid: records.find(({ agent }) => lives(agent))?.agent.pid,
    envoys: envoys.filter(({ agent }) => lives(agent)).map(({ envoy }) => envoy.pid),
    strays: envoys.filter(({ agent }) => !lives(agent)).map(({ envoy }) => envoy.pid),
  };
}

/** Longest wait for an agent without Envoy, in milliseconds. */
const reportMs = 1_000;

/** An agent without Envoy leaves no records: it is asked on its status port. */
export async function lookForProxylessAgent(statusPort: number): Promise<RunningAgent> {
  const nobody = { pid: undefined, envoys: [], strays: [] };
  if (statusPort === 0) return nobody;
  try {
    const { agent } = await AgentClient.onPort(statusPort).ask(reportRoute, { withinMs: reportMs });
    if (agent.runsEnvoy) return nobody;
    // Whoever answers must also be who listens.
    const isListening = portOwners([statusPort]).some(({ pid }) => pid === agent.pid);
    return isListening ? { ...nobody, pid: agent.pid } : nobody;
  } catch {
    return nobody;
  }
}

/** Look into `configPath`; a folder that is not there has no agent. */
export function lookForAgent(configPath: string): RunningAgent {
  const folder = join(configPath, "generations");
  let names: readonly string[] = [];
  try {
    names = readdirSync(folder);
  } catch {
    // Nothing has ever run from here, or it is another user's: the check of configPath says so.
  }
  const found = names.map((name) => readRecord(join(folder, name)));
  return whoRuns(found, bootId(), isAlive);
}
