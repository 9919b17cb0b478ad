import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  describeShare,
  throttledBetween,
  ThrottlingLooks,
  throttlingOf,
} from "../../../src/process/cpu-throttling.ts";

describe("how often a process is throttled", () => {
  for (const [version, files] of [
    [
      1,
      {
        "/proc/7/cgroup": "4:cpu,cpuacct:/pod/ctr\n",
        "/proc/self/mountinfo": "35 31 0:32 / /cg rw - cgroup cgroup rw,cpu,cpuacct\n",
        "/cg/pod/ctr/cpu.cfs_quota_us": "10000\n",
        "/cg/pod/ctr/cpu.cfs_period_us": "100000\n",
        "/cg/pod/ctr/cpu.stat": "nr_periods 100\nnr_throttled 96\nthrottled_time 5000000000\n",
        "/cg/pod/cpu.cfs_quota_us": "200000\n",
        "/cg/pod/cpu.cfs_period_us": "100000\n",
        "/cg/pod/cpu.stat": "nr_periods 100\nnr_throttled 0\nthrottled_time 0\n",
      },
    ],
    [
      2,
      {
        "/proc/7/cgroup": "0::/pod/ctr\n",
        "/proc/self/mountinfo": "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n",
        "/cg/pod/ctr/cpu.max": "10000 100000\n",
        "/cg/pod/ctr/cpu.stat": "usage_usec 9\nnr_periods 100\nnr_throttled 96\nthrottled_usec 5000000\n",
      },
    ],
  ] as const) {
    test(`version ${version}: by the tightest quota of the process that is asked for`, () => {
      const all: Readonly<Record<string, string>> = files;
      assert.deepEqual(
        throttlingOf(7, (path) => all[path]),
        { limit: 0.1, periods: 100, throttledPeriods: 96, throttledMs: 5_000 },
      );
    });
  }

  test("is looked up anew where the process is put into another cgroup, and mounts are not read for nothing", () => {
    let cgroup = "0::/first\n";
    let mountsRead = 0;
    const files: Readonly<Record<string, string>> = {
      "/cg/first/cpu.max": "10000 100000\n",
      "/cg/first/cpu.stat": "nr_periods 100\nnr_throttled 96\n",
      "/cg/second/cpu.max": "20000 100000\n",
      "/cg/second/cpu.stat": "nr_periods 7\nnr_throttled 0\n",
    };
    const looks = new ThrottlingLooks("self", (path) => {
      if (path === "/proc/self/cgroup") return cgroup;
      if (path !== "/proc/self/mountinfo") return files[path];
      mountsRead += 1;
      return "1 2 0:3 / /cg rw - cgroup2 cgroup2 rw\n";
    });
    assert.deepEqual([looks.now()?.limit, looks.now()?.limit], [0.1, 0.1]);
    assert.equal(mountsRead, 1);
    cgroup = "0::/second\n";
    assert.deepEqual(looks.now(), { limit: 0.2, periods: 7, throttledPeriods: 0, throttledMs: 0 });
  });

  test("is not known without a quota", () => {
    assert.equal(
      throttlingOf("self", () => undefined),
      undefined,
    );
  });

  test("is a share of the periods between two looks, and never less than nothing", () => {
    const look = (periods: number, throttledPeriods: number): Parameters<typeof throttledBetween>[0] => ({
      ...{ limit: 1, throttledMs: 0 },
      ...{ periods, throttledPeriods },
    });
    const share = throttledBetween(look(100, 10), look(150, 58));
    assert.equal(describeShare(share), "48 of 50 periods (96 %)");
    assert.equal(throttledBetween(look(100, 10), look(0, 0)).share, 0);
  });
});
