import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { planLines } from "../../../src/cli/plan-lines.ts";
import {
  argumentChanges,
  binaryChange,
  decideChanges,
  fileChanges,
  withoutRole,
} from "../../../src/plan/changes.ts";
import { decidePlan } from "../../../src/plan/decide.ts";
import { unifiedDiff } from "../../../src/plan/diff.ts";

const change = { what: "bootstrap", detail: "1 lines are new, 1 are gone" } as const;
const overlap = { kind: "mode", mode: "overlap", why: "every listener can be bound twice" } as const;

describe("decidePlan()", () => {
  test("an unchanged Envoy is left alone, whatever else is wrong", () => {
    assert.deepEqual(decidePlan({ changes: [], obstacles: ["port taken"], swap: overlap }), { kind: "none" });
  });

  test("a changed one is swapped as the agent would decide", () => {
    assert.deepEqual(decidePlan({ changes: [change], obstacles: [], swap: overlap }), {
      kind: "swap",
      mode: "overlap",
      why: "every listener can be bound twice",
    });
  });

  test("obstacles and an impossible mode refuse it", () => {
    assert.deepEqual(decidePlan({ changes: [change], obstacles: ["port taken"], swap: overlap }), {
      kind: "refuse",
      reasons: ["port taken"],
    });
    const impossible = { kind: "impossible", why: "--swapMode=hot cannot be done" } as const;
    assert.deepEqual(decidePlan({ changes: [change], obstacles: [], swap: impossible }), {
      kind: "refuse",
      reasons: ["--swapMode=hot cannot be done"],
    });
  });

  test("without an Envoy one is started", () => {
    assert.deepEqual(decidePlan({ changes: undefined, obstacles: [], swap: undefined }), { kind: "start" });
  });
});

describe("changes", () => {
  const running = [
    ...["-c", "etc/generations/3/envoy.json", "--drain-time-s", "45"],
    ...["--parent-shutdown-time-s", "60", "--skip-hot-restart-parent-stats", "--restart-epoch", "0"],
    ...["--use-dynamic-base-id", "--base-id-path", "etc/generations/3/base-id"],
    ...["--allow-unknown-static-fields", "-l", "warning", "--concurrency", "1"],
  ];

  test("what differs from generation to generation is no change", () => {
    assert.deepEqual(withoutRole(running), [
      ...["--drain-time-s", "45", "--allow-unknown-static-fields", "-l", "warning", "--concurrency", "1"],
    ]);
    const alone = [
      "-c",
      "",
      "--drain-time-s",
      "45",
      "--disable-hot-restart",
      "--allow-unknown-static-fields",
    ];
    assert.deepEqual(argumentChanges(running, [...alone, "-l", "warning", "--concurrency", "1"]), []);
  });

  test("each flag that is new, gone or has another value is told", () => {
    const wanted = [
      "-c",
      "",
      "--drain-time-s",
      "30",
      "-l",
      "warning",
      "--concurrency",
      "1",
      "--enable-core-dump",
    ];
    assert.deepEqual(
      argumentChanges(running, wanted).map(({ detail }) => detail),
      ["--drain-time-s 45 becomes 30", "--allow-unknown-static-fields is gone", "--enable-core-dump is new"],
    );
  });

  test("a binary is another one by what it is, not by its name", () => {
    const one = { path: "/bin/envoy", inode: 1, device: 1 };
    assert.deepEqual(binaryChange(one, { ...one, path: "/usr/bin/envoy" }), []);
    assert.deepEqual(binaryChange(undefined, one), []);
    assert.match(binaryChange(one, { ...one, inode: 2 })[0]?.detail ?? "", /has been replaced/);
    assert.match(
      binaryChange(one, { path: "/new/envoy", inode: 2, device: 1 })[0]?.detail ?? "",
      /\/bin\/envoy becomes \/new\/envoy/,
    );
  });

  test("what the agent takes for the same Envoy is the same, whatever is seen", () => {
    const equal = { running: "a", wanted: "a" };
    assert.deepEqual(decideChanges(equal, [change]), []);
    assert.deepEqual(decideChanges({ ...equal, wanted: "b" }, [change]), [change]);
    assert.match(decideChanges({ ...equal, wanted: "b" }, [])[0]?.detail ?? "", /is another one/);
  });

  test("an agent that does not tell leaves what is seen", () => {
    const untold = { running: undefined, wanted: "a" };
    assert.deepEqual(decideChanges(untold, []), []);
    assert.deepEqual(decideChanges(untold, [change]), [change]);
  });

  test("a file that Envoy read is old by its time", () => {
    const startedAt = new Date(1_000);
    const files = [
      { path: "old.pem", writtenAt: new Date(999) },
      { path: "new.pem", writtenAt: new Date(1_001) },
      { path: "none.pem", writtenAt: undefined },
    ];
    assert.deepEqual(
      fileChanges(files, startedAt).map(({ detail }) => detail),
      ["new.pem was written after Envoy's start"],
    );
  });
});

describe("the plan in words", () => {
  test("the diff has a header, and is empty for equal texts", () => {
    const before = { name: "generation 1", text: '{\n  "a": 1\n}\n' };
    assert.deepEqual(unifiedDiff(before, { ...before, name: "planned" }), []);
    const lines = unifiedDiff(before, { name: "planned", text: '{\n  "a": 2\n}\n' });
    assert.deepEqual(lines, [
      "--- generation 1",
      "+++ planned",
      "@@ -1,3 +1,3 @@",
      " {",
      '-  "a": 1',
      '+  "a": 2',
      " }",
    ]);
  });

  test("one row per fact, the command as a shell takes it, the diff coloured", () => {
    const lines = planLines(
      {
        action: { kind: "swap", mode: "overlap", why: "every listener can be bound twice" },
        running: {
          generation: 3,
          pid: 42,
          version: "1.40.0",
          swapWaitsFor: "a replaced Envoy still has connections",
        },
        argv: ["/my envoy", "-c", "envoy.json"],
        changes: [change, { what: "arguments", detail: "-l info becomes debug" }],
        diff: ["+x"],
        files: [
          { path: "mesh", exists: false },
          { path: "labels", exists: true },
        ],
      },
      7,
      true,
    );
    assert.deepEqual(lines, [
      "plan     a reload would replace Envoy, swap mode overlap",
      "running  generation 3, pid 42, Envoy 1.40.0",
      "because  every listener can be bound twice",
      "waits    a replaced Envoy still has connections",
      "flags    those of the running agent, pid 7",
      "changes  bootstrap: 1 lines are new, 1 are gone",
      "         arguments: -l info becomes debug",
      "command  '/my envoy' -c envoy.json",
      "files    mesh (does not exist)",
      "         labels",
      "",
      "\u001B[32m+x\u001B[0m",
    ]);
  });
});
