/** Memory of a process, read from `/proc/<pid>/status` (proc_pid_status(5)). */
import { readFileSync } from "node:fs";

/** Resident set in bytes; undefined when there is no such process. */
export function residentBytes(pid: number): number | undefined {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return match?.[1] === undefined ? undefined : Number(match[1]) * 1024;
  } catch {
    return undefined;
  }
}
