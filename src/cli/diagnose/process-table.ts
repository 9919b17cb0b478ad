/**
 * The processes that belong to the agent, from /proc (proc(5)).
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { portOwners } from "../../net/port-owner.ts";
import { openFiles } from "../../process/use.ts";

/** One process. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly role: "agent" | "child of the agent" | "Envoy without an agent";
  readonly name: string;
  /** Such as `S (sleeping)`. */
  readonly state: string;
  readonly threads: number;
  readonly residentKib: number;
  readonly peakResidentKib: number;
  readonly openFiles: number | undefined;
  readonly uid: string;
  readonly command: string;
}

/** A process as /proc shows it. */
interface Seen {
  readonly pid: number;
  readonly status: Readonly<Record<string, string>>;
  readonly command: string;
  readonly cwd: string | undefined;
}

/** Where the agent is looked for. */
export interface ProcessQuery {
  readonly statusPort: number;
  readonly configPath: string;
  readonly cwd: string;
}

/** The agent that listens on the status port, and its pid for those who want more of it. */
export function agentPid(statusPort: number): number | undefined {
  return statusPort === 0 ? undefined : portOwners([statusPort]).find(({ pid }) => pid !== undefined)?.pid;
}

/** The agent, its children, and Envoys of this folder whose agent is gone. */
export function processTable(query: ProcessQuery): readonly ProcessRow[] {
  const agent = agentPid(query.statusPort);
  const generations = join(query.configPath, "generations/");
  return processes().flatMap((seen): ProcessRow[] => {
    const parent = Number(seen.status["PPid"]);
    if (seen.pid === agent) return [row(seen, "agent")];
    if (agent !== undefined && parent === agent) return [row(seen, "child of the agent")];
    const ours = seen.command.includes(generations) && seen.cwd === query.cwd;
    return ours ? [row(seen, "Envoy without an agent")] : [];
  });
}

function processes(): Seen[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [
          {
            pid: Number(name),
            status: parseStatus(readFileSync(`/proc/${name}/status`, "utf8")),
            command: readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim(),
            cwd: linkOf(`/proc/${name}/cwd`),
          },
        ];
      } catch {
        // It ended meanwhile.
        return [];
      }
    });
}

/** `Name:⇥value` lines. */
export function parseStatus(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split("\n").flatMap((line) => {
      const match = /^(\w+):\s+(.*)$/.exec(line);
      return match === null ? [] : [[match[1] ?? "", match[2] ?? ""]];
    }),
  );
}

function row({ pid, status, command }: Seen, role: ProcessRow["role"]): ProcessRow {
  const number = (key: string): number => Number.parseInt(status[key] ?? "0", 10);
  return {
    pid,
    parent: number("PPid"),
    role,
    name: status["Name"] ?? "",
    state: status["State"] ?? "",
    threads: number("Threads"),
    residentKib: number("VmRSS"),
    peakResidentKib: number("VmHWM"),
    openFiles: openFiles(pid),
    uid: status["Uid"]?.split("\t")[0] ?? "",
    command,
  };
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
