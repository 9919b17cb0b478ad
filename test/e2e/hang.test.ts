import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { eventually } from "../support/eventually.ts";
import { startLoad } from "../support/load.ts";
import { startStaticSidecar } from "../support/static-sidecar.ts";

describe("Envoy", () => {
  test("stopped by a signal: it is replaced within 10 s, counted, and named for what it is", async () => {
    await using lone = await startStaticSidecar();
    const pid = await lone.pid();
    process.kill(pid, "SIGSTOP");
    const stoppedAt = performance.now();
    await eventually(
      "another Envoy that answers",
      async () => {
        assert.notEqual(await lone.pid(), pid);
        assert.equal((await lone.sidecar.report()).ready, true);
        assert.equal(await lone.answer(), "first");
      },
      { withinMs: 10_000, everyMs: 50 },
    );
    assert.ok(performance.now() - stoppedAt < 10_000);
    assert.equal(existsSync(`/proc/${pid}`), false);
    assert.equal(await lone.sidecar.metric("outrider_envoy_hangs_total"), 1);
    assert.equal(await lone.sidecar.metric('outrider_envoy_exits_total{reason="hung"}'), 1);
    const line = lone.sidecar.agent.lines.find((candidate) => candidate.includes("Envoy hangs"));
    assert.match(line ?? "", /stopped by a signal/);
  });

  test("with its main thread alone stuck: its workers serve until another Envoy does", async (context) => {
    await using lone = await startStaticSidecar();
    const pid = await lone.pid();
    const debuggerProcess = spawn("python3", [
      join(import.meta.dirname, "../support/fixtures/stop-thread.py"),
      String(pid),
    ]);
    try {
      const answer = await Promise.race([
        once(debuggerProcess.stdout, "data").then(String),
        once(debuggerProcess, "exit").then(() => "it ended"),
      ]);
      if (!answer.includes("stopped")) {
        if (process.env["CI"] === "true")
          throw new Error("a thread could not be stopped: ptrace is not permitted");
        context.skip("ptrace is not permitted");
        return;
      }
      await using load = startLoad(() => lone.call());
      await eventually("another Envoy", async () => assert.notEqual(await lone.pid(), pid), {
        withinMs: 10_000,
        everyMs: 50,
      });
      // Until its debugger lets go of it, the kernel keeps what is left of a killed process.
      debuggerProcess.stdin.end();
      await eventually("the stuck one gone", () => assert.equal(existsSync(`/proc/${pid}`), false), {
        withinMs: 5_000,
      });
      const failures = await load.stop();
      // Connections that the stuck one held when it was killed.
      assert.ok(failures.length <= 2, failures.join("\n"));
      assert.equal(await lone.answer(), "first");
    } finally {
      debuggerProcess.stdin.end();
    }
  });

  test("slow, but answering each check in time: it is left alone", async () => {
    await using lone = await startStaticSidecar();
    const pid = await lone.pid();
    const stop = new AbortController();
    const slowness = (async () => {
      while (!stop.signal.aborted) {
        process.kill(pid, "SIGSTOP");
        await sleep(700);
        process.kill(pid, "SIGCONT");
        await sleep(100);
      }
    })();
    await sleep(12_000);
    stop.abort();
    await slowness;
    assert.equal(await lone.pid(), pid);
    assert.equal(await lone.sidecar.metric("outrider_envoy_hangs_total"), 0);
  });
});
