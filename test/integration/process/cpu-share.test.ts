import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { cpusOf } from "../../../src/process/cpu-share.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

test("a tree of cgroup v2 is read as the kernel lays it out", () => {
  using folder = temporaryFolder();
  const files = {
    "proc/self/cgroup": "0::/kubepods.slice/pod1.slice/ctr.scope\n",
    "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n",
    "proc/self/status": "Cpus_allowed_list:\t0-15\n",
    "sys/fs/cgroup/kubepods.slice/pod1.slice/ctr.scope/cpu.max": "max 100000\n",
    "sys/fs/cgroup/kubepods.slice/pod1.slice/ctr.scope/cpu.weight": "79\n",
    "sys/fs/cgroup/kubepods.slice/pod1.slice/cpu.max": "310000 100000\n",
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder.path, path)), { recursive: true });
    writeFileSync(join(folder.path, path), content);
  }
  const cpus = cpusOf("self", (path) => {
    const file = join(folder.path, path);
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  });
  assert.deepEqual(
    { ...cpus, request: Math.round(cpus.request ?? 0) },
    { limit: 3.1, request: 2, available: 16 },
  );
});
