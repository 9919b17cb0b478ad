/**
 * What a process uses, from `/proc/<pid>` (proc_pid_stat(5)).
 */
import { readdirSync } from "node:fs";
import { readProcessStat } from "./identity.ts";
import { residentBytes } from "./memory.ts";

/** Of one process. */
export interface ResourceUse {
  /** Resident memory, in bytes. */
  readonly residentBytes: number;
  /** Processor time since its start, of the user and of the system, in milliseconds. */
  readonly processorMs: number;
  /** Open file descriptors; undefined when this user may not see them. */
  readonly openFiles: number | undefined;
}

/** Milliseconds of a clock tick: USER_HZ is 100 on every architecture that Node.js runs on. */
const tickMs = 10;

/** Undefined when there is no such process. */
export function resourceUse(pid: number): ResourceUse | undefined {
  const resident = residentBytes(pid);
  const stat = readProcessStat(pid);
  if (resident === undefined || stat === undefined) return undefined;
  return { residentBytes: resident, processorMs: stat.cpuTicks * tickMs, openFiles: openFiles(pid) };
}

/** How many files a process has open; undefined when this user may not see them. */
export function openFiles(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}
