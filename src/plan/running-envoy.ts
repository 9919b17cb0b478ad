/**
 * The Envoy that serves from a configPath, looked at from outside its agent.
 */
import { readRegularText } from "../files/read-regular-file.ts";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { lookForAgent } from "../doctor/running-agent.ts";
import { EnvoyAdmin, type ServerInfo } from "../envoy/admin/admin.ts";
import type { ListenerFacts } from "../envoy/admin/listeners.ts";
import { type ProcessRecord, readRecord } from "../envoy/generation/process-record.ts";
import { AgentClient } from "../status/client.ts";
import type { EnvoyReport } from "../status/contract/agent-report.ts";
import { reportRoute } from "../status/routes/report.ts";
import type { BinaryIdentity } from "./changes.ts";

/** What is known of it. */
export interface RunningEnvoy {
  readonly agentPid: number;
  readonly generation: number;
  /** Number of the newest generation, which may be on its way in or out. */
  readonly newest: number;
  readonly pid: number;
  readonly arguments: readonly string[];
  /** Path by which it was started. */
  readonly binaryPath: string;
  /** Undefined when it is another user's. */
  readonly binary: BinaryIdentity | undefined;
  readonly bootstrap: string;
  readonly adminSocketPath: string;
  readonly startedAt: Date;
  readonly baseId: number | undefined;
  /** Undefined when its admin interface does not answer. */
  readonly info: ServerInfo | undefined;
  readonly listeners: readonly ListenerFacts[] | undefined;
  /** What the agent says that it is, such as `live`; undefined when the agent does not answer. */
  readonly state: string | undefined;
  /** Why a swap that was asked for has not begun; undefined when none waits. */
  readonly swapWaitsFor: string | undefined;
}

interface Candidate {
  readonly number: number;
  readonly folder: string;
  readonly record: ProcessRecord;
}

/**
 * Undefined when no agent runs from there.
 *
 * @throws the system error when its files belong to another user
 */
export async function lookAtRunningEnvoy(
  configPath: string,
  statusPort: number,
): Promise<RunningEnvoy | undefined> {
  const agent = lookForAgent(configPath);
  if (agent.pid === undefined) return undefined;
  const candidates = candidatesIn(join(configPath, "generations"), agent.envoys);
  const newest = candidates.at(-1);
  if (newest === undefined) return undefined;
  const report = await askAgent(statusPort);
  const { number, folder, record } = candidates.find((one) => one.number === report?.generation) ?? newest;
  const adminSocketPath = join(folder, "admin.sock");
  const admin = new EnvoyAdmin(adminSocketPath);
  const [info, listeners] = await Promise.all([
    admin.serverInfo().catch(() => undefined),
    admin.listeners().catch(() => undefined),
  ]);
  const bootstrapPath = join(folder, "envoy.json");
  return {
    agentPid: agent.pid,
    generation: number,
    newest: newest.number,
    pid: record.envoy.pid,
    arguments: commandLine(record.envoy.pid).slice(1),
    binaryPath: record.binary,
    binary: programOf(record.envoy.pid, record.binary),
    bootstrap: readRegularText(bootstrapPath, { maxBytes: 2 ** 26, noLink: true }),
    adminSocketPath,
    // The bootstrap is the last file that is written before Envoy is started.
    startedAt: statSync(bootstrapPath).mtime,
    baseId: record.baseId,
    info,
    listeners,
    state: report?.state,
    swapWaitsFor: report?.swapWaitsFor,
  };
}

/** Living generations, the oldest first. */
function candidatesIn(folder: string, pids: readonly number[]): readonly Candidate[] {
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ number: Number(name), folder: join(folder, name) }))
    .toSorted((a, b) => a.number - b.number)
    .flatMap(({ number, folder }) => {
      const found = readRecord(folder);
      if (found.kind !== "record" || !pids.includes(found.record.envoy.pid)) return [];
      return [{ number, folder, record: found.record }];
    });
}

/** Only the agent knows which of several it is; undefined when it does not answer. */
async function askAgent(statusPort: number): Promise<EnvoyReport | undefined> {
  try {
    return (await AgentClient.onPort(statusPort).ask(reportRoute, { withinMs: 2_000 })).envoy;
  } catch {
    return undefined;
  }
}

/** The program of a process; the file may have been replaced or removed since. */
function programOf(pid: number, path: string): BinaryIdentity | undefined {
  try {
    const { ino, dev } = statSync(`/proc/${pid}/exe`);
    return { path, inode: ino, device: dev };
  } catch {
    return undefined;
  }
}

function commandLine(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
}
