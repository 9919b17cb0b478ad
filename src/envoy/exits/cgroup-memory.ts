/**
 * What the memory cgroup says: OOM kills, limit, use, and how much room is left.
 *
 * Envoy is a child of the agent and so in the agent's own cgroup; in a container that is the container's.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Cgroup, locateCgroup, type LocatedCgroup } from "../../process/cgroup.ts";

/** Figures of one moment, in bytes. Undefined is "not known" or, for the limit, "none". */
export interface MemoryFigures {
  /** The smallest limit of the cgroup and those around it, as far as they can be seen. */
  readonly limitBytes: number | undefined;
  readonly usageBytes: number | undefined;
  /** Use without the file cache that the kernel drops first. */
  readonly workingSetBytes: number | undefined;
  /** `MemAvailable` of the machine. */
  readonly availableBytes: number | undefined;
  /** What can still be taken: the least of what the limits and the machine leave. */
  readonly headroomBytes: number | undefined;
}

/** The count of OOM kills at one moment, or why it is not known. */
export type KillCount =
  | {
      readonly kind: "counted";
      readonly cgroup: string;
      readonly count: number;
      readonly limitBytes: number | undefined;
    }
  | { readonly kind: "unknown"; readonly reason: string };

/** Reads files; undefined where there is none. */
export type ReadText = (path: string) => string | undefined;

/** Reads one memory cgroup. Every read is a few microseconds: these files are not on a disk. */
export class CgroupMemory {
  readonly #located: LocatedCgroup;
  readonly #read: ReadText;

  private constructor(located: LocatedCgroup, read: ReadText) {
    this.#located = located;
    this.#read = read;
  }

  /** The cgroup of process `pid`, or of this one. `root` stands for `/`. Never throws. */
  static find(options: { readonly root?: string; readonly pid?: number } = {}): CgroupMemory {
    const read = reader(options.root ?? "/");
    const own = read(`/proc/${options.pid ?? "self"}/cgroup`);
    const mounts = read("/proc/self/mountinfo");
    if (own === undefined || mounts === undefined) {
      return new CgroupMemory({ kind: "unknown", reason: "/proc/self/cgroup cannot be read" }, read);
    }
    return new CgroupMemory(locateCgroup("memory", own, mounts), read);
  }

  /** Where it is, for people. */
  get located(): LocatedCgroup {
    return this.#located;
  }

  /** True for the figures of the same cgroup. */
  isSameAs(other: CgroupMemory): boolean {
    const [own, others] = [this.#located, other.#located];
    return own.kind === "found" && others.kind === "found" && own.cgroup.folder === others.cgroup.folder;
  }

  /** OOM kills in exactly this cgroup since it was made, whatever limit they were for. */
  oomKills(): KillCount {
    if (this.#located.kind === "unknown") return this.#located;
    const { cgroup } = this.#located;
    const files = cgroup.version === 1 ? ["memory.oom_control"] : ["memory.events.local", "memory.events"];
    const text = files
      .map((file) => this.#read(join(cgroup.folder, file)))
      .find((found) => found !== undefined);
    if (text === undefined)
      return { kind: "unknown", reason: `${cgroup.folder}/${files.at(-1)} cannot be read` };
    const count = keyedNumber(text, "oom_kill");
    if (count === undefined) return { kind: "unknown", reason: "this kernel does not count OOM kills" };
    const figures = (): MemoryFigures => this.figures();
    return {
      kind: "counted",
      cgroup: cgroup.path,
      count,
      // Read only for an Envoy that has died: the count alone is read all the time.
      get limitBytes() {
        return figures().limitBytes;
      },
    };
  }

  /** Figures of this moment. */
  figures(): MemoryFigures {
    const meminfo = this.#read("/proc/meminfo");
    const availableKib = meminfo === undefined ? undefined : keyedNumber(meminfo, "MemAvailable:");
    const availableBytes = availableKib === undefined ? undefined : availableKib * 1024;
    const levels = this.#located.kind === "unknown" ? [] : this.#levels(this.#located.cgroup);
    const [own] = levels;
    return {
      limitBytes: least(levels.map(({ limitBytes }) => limitBytes)),
      usageBytes: own?.usageBytes,
      workingSetBytes: own?.workingSetBytes,
      availableBytes,
      headroomBytes: least([availableBytes, ...levels.map(roomOf)]),
    };
  }

  /** The cgroup and those around it, from the inside out. */
  #levels(cgroup: Cgroup): Level[] {
    const levels: Level[] = [];
    for (let folder = cgroup.folder; ; folder = dirname(folder)) {
      levels.push(readLevel(cgroup.version, (file) => this.#read(join(folder, file))));
      if (folder === cgroup.mountPoint || folder === "/") return levels;
    }
  }
}

interface Level {
  readonly limitBytes: number | undefined;
  readonly usageBytes: number | undefined;
  readonly workingSetBytes: number | undefined;
}

/** One folder of a memory cgroup. */
export function readLevel(version: 1 | 2, read: ReadText): Level {
  const names =
    version === 1
      ? (["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"] as const)
      : (["memory.max", "memory.current", "inactive_file"] as const);
  const [limitFile, usageFile, inactiveKey] = names;
  const usageBytes = wholeNumber(read(usageFile));
  const inactive = keyedNumber(read("memory.stat") ?? "", inactiveKey) ?? 0;
  return {
    limitBytes: limitOf(wholeNumber(read(limitFile))),
    usageBytes,
    workingSetBytes: usageBytes === undefined ? undefined : Math.max(0, usageBytes - inactive),
  };
}

/** Version 1 writes "no limit" as the greatest number of pages: more than any machine has. */
const greatestLimit = 2 ** 60;

function limitOf(value: number | undefined): number | undefined {
  return value === undefined || value >= greatestLimit ? undefined : value;
}

function roomOf({ limitBytes, workingSetBytes }: Level): number | undefined {
  if (limitBytes === undefined || workingSetBytes === undefined) return undefined;
  return Math.max(0, limitBytes - workingSetBytes);
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** `max` and whatever else is no number is undefined. */
function wholeNumber(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? "";
  return /^\d+$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** The number of the line `key number`, as in memory.stat, memory.events and meminfo. */
export function keyedNumber(text: string, key: string): number | undefined {
  for (const line of text.split("\n")) {
    const [name, value] = line.split(/\s+/);
    if (name === key) return wholeNumber(value);
  }
  return undefined;
}

function reader(root: string): ReadText {
  return (path) => {
    try {
      return readFileSync(join(root, path), "utf8");
    } catch {
      // Not there, or not for this user: the caller says what that means.
      return undefined;
    }
  };
}
