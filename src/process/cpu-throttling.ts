/**
 * How often a process had to wait for processor time because the quota of its cgroup was spent (the kernel's
 * documentation of cgroup v1 and v2, `cpu.stat`).
 */
import { join } from "node:path";
import { type Cgroup, locateCgroup } from "./cgroup.ts";
import { foldersOf, quotaIn, readText, type ReadFile } from "./cpu-share.ts";

/** Counts since the cgroup was made. A period is 100 ms unless somebody has set another. */
export interface CpuThrottling {
  /** CPUs' worth of time in each period. */
  readonly limit: number;
  /** Periods in which something in the cgroup wanted to run. */
  readonly periods: number;
  /** Those of them in which it had to stop. */
  readonly throttledPeriods: number;
  /** Time for which it was stopped, of all CPUs together, in milliseconds. */
  readonly throttledMs: number;
}

/** Of process `pid`, by its tightest quota; undefined without one, and where it cannot be seen. */
export function throttlingOf(
  pid: number | "self" = "self",
  read: ReadFile = readText,
): CpuThrottling | undefined {
  return new ThrottlingLooks(pid, read).now();
}

/** Looks at a process again and again: where its cgroup is mounted is searched for when it is put into another one. */
export class ThrottlingLooks {
  readonly #pid: number | "self";
  readonly #read: ReadFile;
  #cgroupFile: string | undefined;
  #cgroup: Cgroup | undefined;

  constructor(pid: number | "self" = "self", read: ReadFile = readText) {
    this.#pid = pid;
    this.#read = read;
  }

  /** As `throttlingOf`. */
  now(): CpuThrottling | undefined {
    const cgroupFile = this.#read(`/proc/${this.#pid}/cgroup`) ?? "";
    if (cgroupFile !== this.#cgroupFile) {
      const located = locateCgroup("cpu", cgroupFile, this.#read("/proc/self/mountinfo") ?? "");
      this.#cgroup = located.kind === "found" ? located.cgroup : undefined;
      this.#cgroupFile = cgroupFile;
    }
    return this.#cgroup && throttlingIn(this.#cgroup, this.#read);
  }
}

function throttlingIn(cgroup: Cgroup, read: ReadFile): CpuThrottling | undefined {
  const { version } = cgroup;
  const limited = foldersOf(cgroup).flatMap((folder) => {
    const limit = quotaIn(folder, version, read);
    return limit === undefined ? [] : [{ folder, limit }];
  });
  const [tightest] = limited.toSorted((a, b) => a.limit - b.limit);
  if (tightest === undefined) return undefined;
  const stat = new Map(
    (read(join(tightest.folder, "cpu.stat")) ?? "").split("\n").map((line) => {
      const [name = "", value = ""] = line.split(" ");
      return [name, Number(value)] as const;
    }),
  );
  const [periods, throttledPeriods] = [stat.get("nr_periods"), stat.get("nr_throttled")];
  if (periods === undefined || throttledPeriods === undefined) return undefined;
  const throttledMs =
    version === 2 ? (stat.get("throttled_usec") ?? 0) / 1_000 : (stat.get("throttled_time") ?? 0) / 1_000_000;
  return { limit: tightest.limit, periods, throttledPeriods, throttledMs };
}

/** What happened between two looks. */
export interface ThrottledShare {
  readonly periods: number;
  readonly throttledPeriods: number;
  /** 0 to 1; 0 where nothing wanted to run. */
  readonly share: number;
}

/** From one look to a later one. */
export function throttledBetween(before: CpuThrottling, after: CpuThrottling): ThrottledShare {
  const periods = Math.max(0, after.periods - before.periods);
  const throttledPeriods = Math.max(0, after.throttledPeriods - before.throttledPeriods);
  return { periods, throttledPeriods, share: periods === 0 ? 0 : throttledPeriods / periods };
}

/** `48 of 50 periods (96 %)`. */
export function describeShare({ periods, throttledPeriods, share }: ThrottledShare): string {
  return `${throttledPeriods} of ${periods} periods (${Math.round(share * 100)} %)`;
}
