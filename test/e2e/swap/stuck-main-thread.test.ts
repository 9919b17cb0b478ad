import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { startLoad } from "../../support/load.ts";
import { startStaticSidecar } from "../../support/static-sidecar.ts";

describe("an Envoy", () => {
  test("with its main thread alone stuck: its workers serve until another Envoy does", async (context) => {
    await using lone = await startStaticSidecar();
    const pid = await lone.pid();
    const debuggerProcess = spawn("python3", [
      join(import.meta.dirname, "../../support/fixtures/stop-thread.py"),
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
});
