import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runCommand } from "../../../src/process/command.ts";

const never = new AbortController().signal;
const shell = (script: string, signal = never) => runCommand({ file: "sh", args: ["-c", script], signal });

describe("a command", () => {
  test("gives the lines of both outputs, and its exit code", async () => {
    const { exit, output } = await shell("echo one; echo; sleep 0.1; echo '  two' >&2; exit 3");
    assert.deepEqual(exit, { kind: "exited", code: 3 });
    assert.deepEqual(output, ["one", "two"]);
  });

  test("that dies of a signal says which", async () => {
    const { exit, isCancelled } = await shell("echo last; kill -TERM $$");
    assert.deepEqual(exit, { kind: "signaled", signal: "SIGTERM" });
    assert.equal(isCancelled, false);
  });

  test("that cannot be started says why", async () => {
    const { exit, output } = await runCommand({ file: "/no/such/program", args: [], signal: never });
    assert.equal(exit.kind, "not-started");
    assert.match(exit.kind === "not-started" ? exit.message : "", /ENOENT/);
    assert.equal(exit.kind === "not-started" ? exit.code : "", "ENOENT");
    assert.deepEqual(output, []);
  });

  test("that does not end in time is killed, and what it said until then is there", async () => {
    const { exit, output, isCancelled } = await shell(
      "trap '' TERM; echo begun; exec sleep 60",
      AbortSignal.timeout(2_000),
    );
    assert.deepEqual(exit, { kind: "signaled", signal: "SIGKILL" });
    assert.deepEqual(output, ["begun"]);
    assert.equal(isCancelled, true);
  });

  test("that does not end in time is killed with all that it has started", async () => {
    const { output, isCancelled } = await shell(
      "echo begun; sleep 3600; echo ended",
      AbortSignal.timeout(1_000),
    );
    assert.deepEqual(output, ["begun"]);
    assert.equal(isCancelled, true);
  });

  test("is not run when its time is over before", async () => {
    const { isCancelled } = await shell("exit 0", AbortSignal.abort());
    assert.equal(isCancelled, true);
  });

  test("gets the environment that is given, and nothing else", async () => {
    const { output } = await runCommand({
      file: "/usr/bin/env",
      args: [],
      env: { ONLY: "this" },
      signal: never,
    });
    assert.deepEqual(output, ["ONLY=this"]);
  });

  test("leads a session of its own, as all children of the agent", async () => {
    const { output } = await shell("ps -o sid= -p $$; echo $$");
    assert.equal(output[0], output[1]);
  });
});
