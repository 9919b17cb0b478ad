/**
 * Whose a file or folder is: what others could have written is not ours to trust, to clean up, or to change.
 *
 * Root can do everything anyway, and a group of this process' own is what Kubernetes gives a volume (`fsGroup`).
 */
import type { Stats } from "node:fs";

/** What is known of a file or folder. */
export type Ownership = Pick<Stats, "uid" | "gid" | "mode">;

/** As whom this process acts. */
export interface Actor {
  readonly uid: number;
  readonly groups: readonly number[];
}

/** This process. */
export function ownActor(): Actor {
  return {
    uid: process.geteuid?.() ?? 0,
    groups: [process.getegid?.() ?? 0, ...(process.getgroups?.() ?? [])],
  };
}

const [groupWrites, othersWrite, sticky] = [0o020, 0o002, 0o1000];

/**
 * Why somebody else can have written it; undefined when nobody can.
 *
 * In a folder with the sticky bit everybody may make files, and only their owners remove or rename them.
 */
export function trustProblem({ uid, gid, mode }: Ownership, actor: Actor = ownActor()): string | undefined {
  if (uid !== actor.uid && uid !== 0) return `it belongs to user ${uid}, and this is user ${actor.uid}`;
  if ((mode & sticky) !== 0) return undefined;
  if ((mode & othersWrite) !== 0) return `everybody may write it (mode ${octal(mode)})`;
  if ((mode & groupWrites) !== 0 && !actor.groups.includes(gid))
    return `group ${gid} may write it (mode ${octal(mode)})`;
  return undefined;
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
