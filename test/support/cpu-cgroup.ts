/** A CPU cgroup of the test's own, version 1 or 2. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { locateCgroup } from "../../src/process/cgroup.ts";
import { errorMessage } from "../../src/lifecycle/error-message.ts";

export interface CpuCgroup extends Disposable {
  readonly version: 1 | 2;
  /** Words before a command line that make it run in the cgroup. */
  readonly launcher: readonly string[];
  /** Give it another quota. */
  limit(cpus: number): void;
}

/** @param cpus its quota; @returns why there is none where this user may not make cgroups */
export function makeCpuCgroup(cpus: number): CpuCgroup | { readonly reason: string } {
  const read = (name: string): string => readFileSync(`/proc/self/${name}`, "utf8");
  const located = locateCgroup("cpu", read("cgroup"), read("mountinfo"));
  if (located.kind === "unknown") return { reason: located.reason };
  const { version, folder, mountPoint } = located.cgroup;
  const parent = version === 1 ? folder : mountPoint;
  const own = join(parent, `outrider-cpu-${process.pid}-${Math.round(cpus * 100)}`);
  const limit = (share: number): void => {
    const quota = String(Math.round(share * 100_000));
    if (version === 1) writeFileSync(join(own, "cpu.cfs_quota_us"), quota);
    else writeFileSync(join(own, "cpu.max"), `${quota} 100000`);
  };
  try {
    if (version === 2) writeFileSync(join(parent, "cgroup.subtree_control"), "+cpu");
    mkdirSync(own);
    limit(cpus);
  } catch (error) {
    return { reason: `a CPU cgroup cannot be made in ${parent}: ${errorMessage(error)}` };
  }
  return {
    version,
    limit,
    launcher: ["sh", "-c", `echo $$ > ${join(own, "cgroup.procs")} && exec "$@"`, "sh"],
    [Symbol.dispose]() {
      rmdirSync(own);
    },
  };
}
