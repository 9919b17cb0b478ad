/**
 * Where the cgroup of a process is, from `/proc/<pid>/cgroup` and `/proc/self/mountinfo` (cgroups(7),
 * proc(5)).
 *
 * A container may see its cgroup in four ways: version 1 or 2, with a cgroup namespace (its path is `/`) or without
 * (its path is the host's, of which only its own part is mounted).
 */

/** A controller that limits what a process may have. */
export type CgroupController = "cpu" | "memory";

/** A cgroup that can be read. */
export interface Cgroup {
  readonly version: 1 | 2;
  /** Its name, as `/proc/<pid>/cgroup` has it. */
  readonly path: string;
  /** Folder of its files. */
  readonly folder: string;
  /** The uppermost folder that is still of this hierarchy. */
  readonly mountPoint: string;
}

/** The cgroup, or why there is none to read. */
export type LocatedCgroup =
  { readonly kind: "found"; readonly cgroup: Cgroup } | { readonly kind: "unknown"; readonly reason: string };

/** Find the cgroup in the contents of the two files. A controller of version 1 goes first. */
export function locateCgroup(
  controller: CgroupController,
  cgroupFile: string,
  mountInfo: string,
): LocatedCgroup {
  const entries = cgroupFile.split("\n").map((line) => /^\d+:([^:]*):(.*)$/.exec(line));
  const first = entries.find((entry) => entry?.[1]?.split(",").includes(controller) === true);
  const [version, path] =
    first === undefined || first === null ? ([2, unified(entries)] as const) : ([1, first[2]] as const);
  if (path === undefined) return { kind: "unknown", reason: `this process is in no ${controller} cgroup` };
  const mounts = mountInfo.split("\n").flatMap((line) => cgroupMount(line, controller) ?? []);
  const fitting = mounts.filter((mount) => (version === 1 ? mount.hasController : mount.unified));
  if (fitting.length === 0) {
    return {
      kind: "unknown",
      reason: `no cgroup file system of version ${version} is mounted for ${controller}`,
    };
  }
  for (const { root, mountPoint } of fitting) {
    const below = pathBelow(root, path);
    if (below === undefined) continue;
    const folder = `${mountPoint}${below}`.replace(/\/$/, "") || "/";
    return { kind: "found", cgroup: { version, path, folder, mountPoint } };
  }
  return {
    kind: "unknown",
    reason: `${controller} cgroup ${path} is outside of what is mounted at ${fitting[0]?.mountPoint ?? ""}`,
  };
}

function unified(entries: readonly (RegExpExecArray | null)[]): string | undefined {
  return entries.find((entry) => entry?.[0].startsWith("0::") === true)?.[2];
}

interface CgroupMount {
  readonly root: string;
  readonly mountPoint: string;
  readonly hasController: boolean;
  readonly unified: boolean;
}

function cgroupMount(line: string, controller: CgroupController): CgroupMount | undefined {
  const [before = "", after = ""] = line.split(" - ");
  const [, , , root, mountPoint] = before.split(" ");
  const [type, , superOptions = ""] = after.split(" ");
  if (root === undefined || mountPoint === undefined) return undefined;
  return {
    root: unescape(root),
    mountPoint: unescape(mountPoint),
    hasController: type === "cgroup" && superOptions.split(",").includes(controller),
    unified: type === "cgroup2",
  };
}

/** Octal escapes of white space in mountinfo. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function pathBelow(root: string, path: string): string | undefined {
  if (path.startsWith("/..") || root.startsWith("/..")) return undefined;
  if (root === "/") return path;
  if (path === root) return "/";
  return path.startsWith(`${root}/`) ? path.slice(root.length) : undefined;
}
