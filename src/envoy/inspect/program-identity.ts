/**
 * A file as one program: two names may be one, and a replaced file keeps its name.
 */
import { statSync } from "node:fs";

/** Which program it is. */
export interface ProgramIdentity {
  readonly path: string;
  readonly inode: number;
  readonly device: number;
}

/** The program at `path`; one that is not there is nobody's. */
export function programAt(path: string): ProgramIdentity {
  const stat = statSync(path, { throwIfNoEntry: false });
  return { path, inode: stat?.ino ?? 0, device: stat?.dev ?? 0 };
}

/**
 * The program of a process, which was started by `path`: the file may have been replaced or removed since. Undefined when
 * the process is another user's.
 */
export function programOf(pid: number, path: string): ProgramIdentity | undefined {
  try {
    const { ino, dev } = statSync(`/proc/${pid}/exe`);
    return { path, inode: ino, device: dev };
  } catch {
    return undefined;
  }
}

/** True for one program under whatever names. */
export function isSameProgram(one: ProgramIdentity, other: ProgramIdentity): boolean {
  return one.inode === other.inode && one.device === other.device;
}
