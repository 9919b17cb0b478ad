/**
 * Which process a pid means, and what it is doing, read from `/proc/<pid>/stat` (proc_pid_stat(5)).
 *
 * The kernel gives a pid to another process as soon as the first one is gone; a pid and its start time together
 * name one process for as long as the machine is up.
 */
import { readdirSync, readFileSync } from "node:fs";

/** One process of this boot and this PID namespace. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between the machine's start and the process' own (field 22). */
  readonly startTime: number;
}

/** What is known of a process or a thread. */
export interface ProcessStat extends ProcessIdentity {
  /** `R` running, `S` sleeping, `D` in the kernel, `T` stopped, `t` traced, `Z` zombie, `X` dead, … (field 3). */
  readonly state: string;
  /** Pid of its parent (field 4). */
  readonly parent: number;
  /** CPU time used in user and kernel mode, in clock ticks: 10 ms on Linux (fields 14 and 15). */
  readonly cpuTicks: number;
}

/**
 * The fields of one line of `stat`; undefined when it is none.
 *
 * The second field is the command's name in parentheses, in which anything may stand, parentheses, spaces and
 * line ends included: the fields are counted from the last closing one.
 */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open < 0 || close < open) return undefined;
  const pid = count(text.slice(0, open).trim());
  // Field 3 is the first of these.
  const fields = text
    .slice(close + 1)
    .trim()
    .split(/\s+/);
  const state = fields[0] ?? "";
  const [parent, user, system, startTime] = [fields[1], fields[11], fields[12], fields[19]].map(count);
  if (!/^[A-Za-z]$/.test(state)) return undefined;
  if (pid === undefined || parent === undefined || startTime === undefined) return undefined;
  if (user === undefined || system === undefined) return undefined;
  return { pid, startTime, state, parent, cpuTicks: user + system };
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The process with this pid, its threads' CPU time summed; undefined when there is none. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  return readStat(`/proc/${pid}/stat`);
}

/**
 * The main thread of a process alone: a hung Envoy's main thread uses no CPU while its workers may.
 *
 * Undefined when there is no such process.
 */
export function readMainThreadStat(pid: number): ProcessStat | undefined {
  return readStat(`/proc/${pid}/task/${pid}/stat`);
}

/** True when every thread of the process is stopped, by SIGSTOP or a debugger. */
export function isStopped(pid: number): boolean {
  const threads = threadIds(pid).flatMap((thread) => readStat(`/proc/${pid}/task/${thread}/stat`) ?? []);
  return threads.length > 0 && threads.every(({ state }) => state === "T" || state === "t");
}

function threadIds(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    // The process is gone.
    return [];
  }
}

/** Who has this pid now; a zombie still has it. Undefined when nobody does. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const stat = readProcessStat(pid);
  return stat === undefined ? undefined : { pid, startTime: stat.startTime };
}

/** True while the process runs; false for a zombie, and when another one has its pid. */
export function isAlive(identity: ProcessIdentity): boolean {
  return isSameAndRunning(identity, readProcessStat(identity.pid));
}

/** `isAlive` as a function of what was read. */
export function isSameAndRunning(identity: ProcessIdentity, stat: ProcessStat | undefined): boolean {
  return stat !== undefined && stat.startTime === identity.startTime && !isDead(stat.state);
}

/** True for a process that only waits for its parent to collect its exit code. */
export function isDead(state: string): boolean {
  return state === "Z" || state === "X" || state === "x";
}

/** Names this boot of the machine, as start times count from it; undefined when the kernel does not tell. */
export function bootId(): string | undefined {
  return readText("/proc/sys/kernel/random/boot_id")?.trim();
}

function readStat(path: string): ProcessStat | undefined {
  const text = readText(path);
  return text === undefined ? undefined : parseProcessStat(text);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // ENOENT or ESRCH: the process is gone.
    return undefined;
  }
}
