/**
 * The Envoy that serves from a configPath, looked at from outside its agent.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readRegularText } from "../../files/read-regular-file.ts";
import { AgentClient } from "../../status/client.ts";
import type { EnvoyReport } from "../../status/contract/agent-report.ts";
import { reportRoute } from "../../status/routes/report.ts";
import { EnvoyAdmin, type ServerInfo } from "../admin/admin.ts";
import type { ListenerFacts } from "../admin/listeners.ts";
import { generationsFolder, isGeneration, pathsIn } from "../generation/layout.ts";
import { type ProcessRecord, readRecord } from "../generation/process-record.ts";
import { type ProgramIdentity, programOf } from "./program-identity.ts";
import { lookForAgent, type RunningAgent } from "./running-agent.ts";

/** What is known of it. */
export interface RunningEnvoy {
  readonly agent: RunningAgent & { readonly pid: number };
  readonly generation: number;
  /** Number of the newest generation, which may be on its way in or out. */
  readonly newest: number;
  readonly pid: number;
  readonly arguments: readonly string[];
  /** Path by which it was started. */
  readonly binaryPath: string;
  /** Undefined when it is another user's. */
  readonly binary: ProgramIdentity | undefined;
  readonly bootstrap: string;
  readonly adminSocketPath: string;
  readonly startedAt: Date;
  readonly baseId: number | undefined;
  /** Of the launch that it was started from; undefined when its agent is of a release that does not tell. */
  readonly fingerprint: string | undefined;
  /** Undefined when its admin interface does not answer. */
  readonly info: ServerInfo | undefined;
  readonly listeners: readonly ListenerFacts[] | undefined;
  /** What the agent tells of it; undefined when the agent does not answer. */
  readonly report: EnvoyReport | undefined;
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
  const { pid } = agent;
  if (pid === undefined) return undefined;
  const candidates = candidatesIn(generationsFolder(configPath), agent.envoys);
  const newest = candidates.at(-1);
  if (newest === undefined) return undefined;
  const report = await askAgent(statusPort);
  const { number, folder, record } = candidates.find((one) => one.number === report?.generation) ?? newest;
  const paths = pathsIn(folder);
  const admin = new EnvoyAdmin(paths.adminSocket);
  const [info, listeners] = await Promise.all([
    admin.serverInfo().catch(() => undefined),
    admin.listeners().catch(() => undefined),
  ]);
  return {
    agent: { ...agent, pid },
    generation: number,
    newest: newest.number,
    pid: record.envoy.pid,
    arguments: commandLine(record.envoy.pid).slice(1),
    binaryPath: record.binary,
    binary: programOf(record.envoy.pid, record.binary),
    bootstrap: readRegularText(paths.bootstrap, { maxBytes: 2 ** 26, noLink: true }),
    adminSocketPath: paths.adminSocket,
    // The bootstrap is the last file that is written before Envoy is started.
    startedAt: statSync(paths.bootstrap).mtime,
    baseId: record.baseId,
    fingerprint: record.fingerprint,
    info,
    listeners,
    report,
  };
}

/** Living generations, the oldest first. */
function candidatesIn(folder: string, pids: readonly number[]): readonly Candidate[] {
  return readdirSync(folder)
    .filter(isGeneration)
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

function commandLine(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
}
