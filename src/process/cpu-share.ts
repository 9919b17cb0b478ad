/**
 * How much processor time a process may use: the quota of its cgroup and of those above it, and the share that it
 * was promised (cgroups(7); the kernel's documentation of cgroup v1 and v2, "CPU").
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Cgroup, locateCgroup } from "./cgroup.ts";

/** In CPUs; fractions are usual. */
export interface CpuShare {
  /** The tightest quota; undefined without one. */
  readonly limit: number | undefined;
  /**
   * What the weight of the cgroup stands for where Kubernetes set it; undefined for the least weight, which is a
   * container that requests nothing.
   */
  readonly request: number | undefined;
  /** CPUs that the scheduler may take it to. */
  readonly available: number;
}

/** Reads a file; undefined where there is none. */
export type ReadFile = (path: string) => string | undefined;

/** Of process `pid`, which is this one unless told. */
export function cpusOf(pid: number | "self" = "self", read: ReadFile = readText): CpuShare {
  const located = locateCgroup("cpu", read(`/proc/${pid}/cgroup`) ?? "", read("/proc/self/mountinfo") ?? "");
  const available = allowedCpus(read(`/proc/${pid}/status`) ?? "");
  if (located.kind === "unknown") return { limit: undefined, request: undefined, available };
  const { cgroup } = located;
  const quotas = foldersOf(cgroup).flatMap((folder) => quotaIn(folder, cgroup.version, read) ?? []);
  return {
    limit: quotas.length === 0 ? undefined : Math.min(...quotas),
    request: requestIn(cgroup, read),
    available,
  };
}

/** The cgroup's own folder and those above it, as far as they can be seen. */
export function foldersOf({ folder, mountPoint }: Cgroup): readonly string[] {
  const folders = [folder];
  for (let above = folder; above !== mountPoint && above !== "/";) {
    above = dirname(above);
    folders.push(above);
  }
  return folders;
}

/** In CPUs; undefined without one. */
export function quotaIn(folder: string, version: Cgroup["version"], read: ReadFile): number | undefined {
  const [quota = "max", period = "100000"] =
    version === 2
      ? (read(join(folder, "cpu.max")) ?? "").trim().split(/\s+/)
      : ["cpu.cfs_quota_us", "cpu.cfs_period_us"].map((name) => read(join(folder, name))?.trim());
  const cpus = Number(quota) / Number(period);
  // Without a quota the one says "max", the other -1.
  return cpus > 0 && Number.isFinite(cpus) ? cpus : undefined;
}

/** Shares of version 1 that stand for one CPU (Kubernetes' resource management). */
const sharesOfOneCpu = 1_024;

function requestIn({ folder, version }: Cgroup, read: ReadFile): number | undefined {
  const value = Number(read(join(folder, version === 2 ? "cpu.weight" : "cpu.shares")) ?? Number.NaN);
  const least = version === 2 ? 1 : 2;
  if (!(value > least)) return undefined;
  return (version === 2 ? sharesOfWeight(value) : value) / sharesOfOneCpu;
}

/**
 * The shares that a container runtime made this weight of. Two formulas are about, and which it was cannot be seen:
 * this is the one that never gives less than the other.
 */
function sharesOfWeight(weight: number): number {
  return 2 + ((weight - 1) * 262_142) / 9_999;
}

/** `Cpus_allowed_list` of proc(5), such as `0-2,5`. */
function allowedCpus(status: string): number {
  const [, list = "0"] = /^Cpus_allowed_list:\s*(\S+)/m.exec(status) ?? [];
  return list.split(",").reduce((sum, range) => {
    const [first = "0", last = first] = range.split("-");
    return sum + Number(last) - Number(first) + 1;
  }, 0);
}

/** Undefined where there is none to read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
