/**
 * The agent that runs from this configPath, and the Envoys that a killed one left, from the records beside them.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { bootId, isAlive, type ProcessIdentity } from "../../process/identity.ts";
import { generationsFolder, isGeneration } from "../generation/layout.ts";
import { type FoundRecord, readRecord } from "../generation/process-record.ts";

/** Who runs from a configPath. */
export interface RunningAgent {
  /** Undefined when no agent runs. */
  readonly pid: number | undefined;
  /** Envoys of the running agent. */
  readonly envoys: readonly number[];
  /** Envoys whose agent is gone. */
  readonly strays: readonly number[];
}

/** Nobody does. */
export const noAgent: RunningAgent = { pid: undefined, envoys: [], strays: [] };

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

/** Look into `configPath`; a folder that is not there has no agent. */
export function lookForAgent(configPath: string): RunningAgent {
  const folder = generationsFolder(configPath);
  let names: readonly string[] = [];
  try {
    names = readdirSync(folder).filter(isGeneration);
  } catch {
    // Nothing has ever run from here, or it is another user's: whoever starts there is told so.
  }
  const found = names.map((name) => readRecord(join(folder, name)));
  return whoRuns(found, bootId(), isAlive);
}
