import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import { spawnChild } from "../../../src/process/child.ts";
import {
  bootId,
  identityOf,
  isAlive,
  readMainThreadStat,
  readProcessStat,
} from "../../../src/process/identity.ts";
import { eventually } from "../../support/eventually.ts";

describe("a process", () => {
  test("is known by pid and start time until it ends", async () => {
    const child = spawnChild({ file: "sleep", args: ["60"], stdout: "ignore", stderr: "ignore" });
    const identity = identityOf(child.pid ?? 0);
    assert.ok(identity !== undefined);
    assert.equal(isAlive(identity), true);
    assert.equal(readProcessStat(identity.pid)?.parent, process.pid);
    child.kill("SIGSTOP");
    await eventually("T", () => assert.equal(readProcessStat(identity.pid)?.state, "T"), { withinMs: 2_000 });
    assert.equal(isAlive(identity), true);
    child.kill("SIGKILL");
    await child.exited;
    assert.equal(isAlive(identity), false);
    assert.equal(identityOf(identity.pid), undefined);
  });

  test("uses CPU time in other threads that is not its main thread's", async () => {
    const before = readMainThreadStat(process.pid)?.cpuTicks ?? Number.NaN;
    const worker = new Worker("for (;;);", { eval: true });
    try {
      const wanted = (readProcessStat(process.pid)?.cpuTicks ?? 0) + 50;
      await eventually(
        "half a second of CPU time",
        () => assert.ok((readProcessStat(process.pid)?.cpuTicks ?? 0) >= wanted),
        { withinMs: 20_000, everyMs: 100 },
      );
      const used = (readMainThreadStat(process.pid)?.cpuTicks ?? Number.NaN) - before;
      assert.ok(used >= 0 && used < 25, `the main thread used ${used} ticks`);
    } finally {
      await worker.terminate();
    }
  });

  test("of no pid is undefined", () => {
    assert.equal(identityOf(4_194_305), undefined);
    assert.equal(readMainThreadStat(4_194_305), undefined);
  });

  test("belongs to a boot that has a name", () => {
    assert.match(bootId() ?? "", /^[0-9a-f-]{36}$/);
  });
});
