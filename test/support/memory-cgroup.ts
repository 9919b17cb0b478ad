/** A memory cgroup of the test's own, version 1 or 2. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CgroupMemory } from "../../src/envoy/exits/cgroup-memory.ts";
import { errorMessage } from "../../src/lifecycle/error-message.ts";

export interface TestCgroup extends Disposable {
  /** Words before a command line that make it run in the cgroup. */
  readonly launcher: readonly string[];
  /** Move this process into it; its children follow. Disposing moves it back. */
  enter(): void;
}

/** Undefined with a reason when this user may not make cgroups. */
export function makeMemoryCgroup(limitBytes: number): TestCgroup | { readonly reason: string } {
  const { located } = CgroupMemory.find();
  if (located.kind === "unknown") return { reason: located.reason };
  const { version, folder, mountPoint } = located.cgroup;
  // Version 2 allows no processes beside cgroups, except at the top.
  const parent = version === 1 ? folder : mountPoint;
  const own = join(parent, `outrider-test-${process.pid}`);
  const limitFile = version === 1 ? "memory.limit_in_bytes" : "memory.max";
  try {
    if (version === 2) writeFileSync(join(parent, "cgroup.subtree_control"), "+memory");
    mkdirSync(own);
    writeFileSync(join(own, limitFile), String(limitBytes));
  } catch (error) {
    return { reason: `a memory cgroup cannot be made in ${dirname(own)}: ${errorMessage(error)}` };
  }
  return {
    launcher: ["sh", "-c", `echo $$ > ${join(own, "cgroup.procs")} && exec "$@"`, "sh"],
    enter() {
      writeFileSync(join(own, "cgroup.procs"), String(process.pid));
    },
    [Symbol.dispose]() {
      const { pid } = process;
      if (readFileSync(join(own, "cgroup.procs"), "utf8").split("\n").includes(String(pid))) {
        writeFileSync(join(folder, "cgroup.procs"), String(pid));
      }
      rmdirSync(own);
    },
  };
}
