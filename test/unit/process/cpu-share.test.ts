import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cpusOf } from "../../../src/process/cpu-share.ts";

const v1 = (root: string): string =>
  `35 31 0:32 ${root} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n`;
const v2 = (root: string): string => `30 23 0:26 ${root} /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n`;

function seen(
  membership: string,
  mounts: string,
  files: Readonly<Record<string, string>>,
): readonly [limit: number | undefined, request: number | undefined] {
  const all: Readonly<Record<string, string>> = {
    "/proc/self/cgroup": membership,
    "/proc/self/mountinfo": mounts,
    "/proc/self/status": "Cpus_allowed_list:\t0-3,6\n",
    ...files,
  };
  const { limit, request, available } = cpusOf("self", (path) => all[path]);
  assert.equal(available, 5);
  return [limit, request === undefined ? undefined : Number(request.toFixed(2))];
}

describe("the processor time of a process", () => {
  for (const [name, membership, mounts, files, expected] of [
    ["without cgroups", "", "", {}, [undefined, undefined]],
    [
      "version 1: quota and shares",
      "4:cpu,cpuacct:/kubepods/pod1/ctr\n0::/\n",
      v1("/kubepods/pod1/ctr"),
      {
        "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "150000\n",
        "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        "/sys/fs/cgroup/cpu,cpuacct/cpu.shares": "512\n",
      },
      [1.5, 0.5],
    ],
    [
      "version 1: no quota, and a container that requests nothing",
      "4:cpu,cpuacct:/\n",
      v1("/"),
      {
        "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
        "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        "/sys/fs/cgroup/cpu,cpuacct/cpu.shares": "2\n",
      },
      [undefined, undefined],
    ],
    [
      "version 1: a quota above the own one counts where it is tighter",
      "4:cpu,cpuacct:/pod1/ctr\n",
      v1("/"),
      {
        "/sys/fs/cgroup/cpu,cpuacct/pod1/ctr/cpu.cfs_quota_us": "400000\n",
        "/sys/fs/cgroup/cpu,cpuacct/pod1/ctr/cpu.cfs_period_us": "100000\n",
        "/sys/fs/cgroup/cpu,cpuacct/pod1/cpu.cfs_quota_us": "50000\n",
        "/sys/fs/cgroup/cpu,cpuacct/pod1/cpu.cfs_period_us": "25000\n",
        "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
      },
      [2, undefined],
    ],
    [
      "version 2: quota, and the weight of one CPU",
      "0::/kubepods/pod1/ctr\n",
      v2("/kubepods/pod1/ctr"),
      { "/sys/fs/cgroup/cpu.max": "250000 100000\n", "/sys/fs/cgroup/cpu.weight": "39\n" },
      [2.5, 0.97],
    ],
    [
      "version 2: no quota, and the weight of four CPUs",
      "0::/a\n",
      v2("/"),
      { "/sys/fs/cgroup/a/cpu.max": "max 100000\n", "/sys/fs/cgroup/a/cpu.weight": "157\n" },
      [undefined, 4],
    ],
    [
      "version 2: a container that requests nothing",
      "0::/a\n",
      v2("/"),
      { "/sys/fs/cgroup/a/cpu.max": "max\n", "/sys/fs/cgroup/a/cpu.weight": "1\n" },
      [undefined, undefined],
    ],
    [
      "version 2: the tightest quota of a slice",
      "0::/system.slice/outrider.service\n",
      v2("/"),
      {
        "/sys/fs/cgroup/system.slice/outrider.service/cpu.max": "max 100000\n",
        "/sys/fs/cgroup/system.slice/cpu.max": "75000 100000\n",
      },
      [0.75, undefined],
    ],
    [
      "files that hold nonsense",
      "0::/\n",
      v2("/"),
      { "/sys/fs/cgroup/cpu.max": "lots\n", "/sys/fs/cgroup/cpu.weight": "heavy\n" },
      [undefined, undefined],
    ],
  ] as const) {
    test(name, () => {
      assert.deepEqual(seen(membership, mounts, files), expected);
    });
  }
});
