import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { keyedNumber, readLevel } from "../../../../src/envoy/exits/cgroup-memory.ts";
import { OomKillLedger } from "../../../../src/envoy/exits/oom-kill-ledger.ts";

describe("readLevel()", () => {
  const read = (files: Readonly<Record<string, string>>) => (name: string) => files[name];

  test("version 1: the working set is the use without inactive file pages, and a huge limit is none", () => {
    const files = {
      "memory.limit_in_bytes": "9223372036854771712\n",
      "memory.usage_in_bytes": "1000000\n",
      "memory.stat": "cache 5\ninactive_file 1\ntotal_cache 6\ntotal_inactive_file 400000\n",
    };
    assert.deepEqual(readLevel(1, read(files)), {
      limitBytes: undefined,
      usageBytes: 1_000_000,
      workingSetBytes: 600_000,
    });
  });

  test("version 2", () => {
    const files = {
      "memory.max": "134217728\n",
      "memory.current": "1000000\n",
      "memory.stat": "anon 5\ninactive_file 400000\n",
    };
    assert.deepEqual(readLevel(2, read(files)), {
      limitBytes: 134_217_728,
      usageBytes: 1_000_000,
      workingSetBytes: 600_000,
    });
    assert.equal(readLevel(2, read({ ...files, "memory.max": "max\n" })).limitBytes, undefined);
  });

  test("files that are not there are not known", () => {
    assert.deepEqual(readLevel(2, read({})), {
      limitBytes: undefined,
      usageBytes: undefined,
      workingSetBytes: undefined,
    });
  });
});

test("keyedNumber() finds whole names only", () => {
  const events = "low 0\nhigh 0\nmax 14\noom 2\noom_kill 1\noom_group_kill 0\n";
  assert.equal(keyedNumber(events, "oom_kill"), 1);
  assert.equal(keyedNumber("oom_kill_disable 0\nunder_oom 0\n", "oom_kill"), undefined);
  assert.equal(keyedNumber("MemTotal:  24105 kB\nMemAvailable:   22703 kB\n", "MemAvailable:"), 22703);
});

describe("OomKillLedger", () => {
  function ledger() {
    const state = { count: 7 };
    const made = new OomKillLedger(() => ({
      kind: "counted",
      cgroup: "/",
      count: state.count,
      limitBytes: undefined,
    }));
    return { ledger: made, state };
  }
  const rise = (kills: ReturnType<OomKillLedger["settle"]>) =>
    kills.kind === "counted" ? kills.after - kills.before : undefined;

  test("a kill after the start is the process's own", () => {
    const { ledger: kills, state } = ledger();
    kills.note(0);
    state.count += 1;
    assert.equal(rise(kills.settle(0, 60_000, true)), 1);
  });

  test("a kill is given to one process only", () => {
    const { ledger: kills, state } = ledger();
    kills.note(0);
    state.count += 1;
    kills.settle(0, 1_000, true);
    assert.equal(rise(kills.settle(0, 1_001, true)), 0);
  });

  test("two kills at once are given to two processes", () => {
    const { ledger: kills, state } = ledger();
    kills.note(0);
    state.count += 2;
    assert.equal(rise(kills.settle(0, 1_000, true)), 2);
    assert.equal(rise(kills.settle(0, 1_001, true)), 1);
    assert.equal(rise(kills.settle(0, 1_002, true)), 0);
  });

  test("a kill that the process outlived is another's", () => {
    const { ledger: kills, state } = ledger();
    kills.note(0);
    state.count += 1;
    kills.note(2_000);
    kills.note(9_000);
    assert.equal(rise(kills.settle(0, 10_000, true)), 0);
  });

  test("a kill that was noted just before its end was noticed is its own", () => {
    const { ledger: kills, state } = ledger();
    kills.note(0);
    kills.note(58_000);
    state.count += 1;
    kills.note(59_500);
    assert.equal(rise(kills.settle(0, 60_000, true)), 1);
  });

  test("without a count at the start nothing is claimed", () => {
    assert.equal(ledger().ledger.settle(0, 1_000, true).kind, "unknown");
  });
});
