/**
 * As whom a process acts, from `/proc/<pid>/status` (proc_pid_status(5)).
 *
 * The owner of `/proc/<pid>` does not tell: it is root for every process that has made itself undumpable.
 */
import { readFileSync } from "node:fs";

/** User and groups of a process. */
export interface ProcessUser {
  readonly uid: number;
  /** Its group, and the supplementary ones. */
  readonly groups: readonly number[];
}

/** Undefined for a process that is gone, and for one whose real, effective, saved and file system users differ. */
export function userOf(pid: number): ProcessUser | undefined {
  try {
    return parseUser(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return undefined;
  }
}

/** `userOf` as a function of what was read. */
export function parseUser(status: string): ProcessUser | undefined {
  const [uid, ...others] = numbersOf(status, "Uid");
  if (uid === undefined || others.length !== 3 || others.some((other) => other !== uid)) return undefined;
  return { uid, groups: [...numbersOf(status, "Gid").slice(1, 2), ...numbersOf(status, "Groups")] };
}

function numbersOf(status: string, key: string): readonly number[] {
  const words = new RegExp(`^${key}:(.*)$`, "m").exec(status)?.[1] ?? "";
  return (words.match(/\d+/g) ?? []).map(Number);
}
