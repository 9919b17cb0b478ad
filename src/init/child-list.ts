/**
 * The children of this process, as the kernel lists them.
 */
import { readdirSync, readFileSync } from "node:fs";
import { type ProcessStat, readProcessStat } from "../process/identity.ts";

/**
 * Pids of the children. Orphans become children of PID 1's main thread, on which Node.js spawns its own as well
 * (proc_tid_children(5)).
 */
export function childPids(): readonly number[] {
  try {
    return parsePids(readFileSync("/proc/thread-self/children", "utf8"));
  } catch {
    // A kernel without CONFIG_PROC_CHILDREN.
    return parsePids(readdirSync("/proc").join(" ")).filter(
      (pid) => readProcessStat(pid)?.parent === process.pid,
    );
  }
}

/** The words of `text` that are pids. */
export function parsePids(text: string): readonly number[] {
  return text
    .split(/\s+/)
    .filter((word) => /^[1-9]\d*$/.test(word))
    .map(Number);
}

/** A child that has ended and that nobody has collected. */
export function isZombieOf(parent: number, stat: ProcessStat | undefined): boolean {
  return stat !== undefined && stat.state === "Z" && stat.parent === parent;
}
