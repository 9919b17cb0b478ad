import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { locateCgroup } from "../../../src/process/cgroup.ts";

const v1Mount = (root: string) =>
  `25 20 0:22 / /proc rw - proc proc rw\n35 31 0:32 ${root} /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n`;
const v2Mount = (root: string) =>
  `30 23 0:26 ${root} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n`;
const hybridMounts = `${v1Mount("/")}41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n`;

describe("locateCgroup()", () => {
  for (const [name, cgroup, mounts, expected] of [
    [
      "version 2 on a machine",
      "0::/user.slice/session-1.scope\n",
      v2Mount("/"),
      { version: 2, folder: "/sys/fs/cgroup/user.slice/session-1.scope" },
    ],
    ["version 2 in a container", "0::/\n", v2Mount("/"), { version: 2, folder: "/sys/fs/cgroup" }],
    [
      "version 2 with only its own part mounted",
      "0::/kubepods/pod1/ctr\n",
      v2Mount("/kubepods/pod1/ctr"),
      { version: 2, folder: "/sys/fs/cgroup" },
    ],
    [
      "version 1 on a machine, beside an unused version 2",
      "4:memory:/system.slice/x.service\n1:name=systemd:/\n0::/\n",
      hybridMounts,
      { version: 1, folder: "/sys/fs/cgroup/memory/system.slice/x.service" },
    ],
    [
      "version 1 in a container without a cgroup namespace",
      "11:cpu,cpuacct:/kubepods/pod1/ctr\n4:memory:/kubepods/pod1/ctr\n",
      v1Mount("/kubepods/pod1/ctr"),
      { version: 1, folder: "/sys/fs/cgroup/memory" },
    ],
    [
      "version 1, a cgroup inside the container's",
      "4:memory:/kubepods/pod1/ctr/inner\n",
      v1Mount("/kubepods/pod1/ctr"),
      { version: 1, folder: "/sys/fs/cgroup/memory/inner" },
    ],
    [
      "a mount point with a space",
      "0::/a\n",
      "30 23 0:26 / /mnt/c\\040group rw - cgroup2 cgroup2 rw\n",
      { version: 2, folder: "/mnt/c group/a" },
    ],
  ] as const) {
    test(name, () => {
      const located = locateCgroup("memory", cgroup, mounts);
      assert.ok(located.kind === "found", JSON.stringify(located));
      const { version, folder } = located.cgroup;
      assert.deepEqual({ version, folder }, expected);
    });
  }

  for (const [name, cgroup, mounts, expected] of [
    ["a process without a memory cgroup", "1:cpu:/\n", v1Mount("/"), /in no memory cgroup/],
    [
      "nothing mounted",
      "0::/a\n",
      "25 20 0:22 / /proc rw - proc proc rw\n",
      /no cgroup file system of version 2/,
    ],
    ["a cgroup outside of the namespace", "0::/../other\n", v2Mount("/"), /outside of what is mounted/],
    [
      "another container's part is mounted",
      "4:memory:/pod1/a\n",
      v1Mount("/pod1/b"),
      /outside of what is mounted/,
    ],
  ] as const) {
    test(name, () => {
      const located = locateCgroup("memory", cgroup, mounts);
      assert.match(located.kind === "unknown" ? located.reason : "found", expected);
    });
  }
});
