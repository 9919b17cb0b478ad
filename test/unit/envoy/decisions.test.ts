import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { splitLogLevel } from "../../../src/envoy/generation/arguments.ts";
import { describeExit, exitCodeOf } from "../../../src/envoy/exits/exit.ts";
import { envoyReadiness } from "../../../src/envoy/admin/readiness.ts";

const live = {
  "server.state": 0,
  "listener_manager.workers_started": 1,
  "cluster_manager.cds.update_success": 1,
  "listener_manager.lds.update_success": 1,
};

describe("envoyReadiness()", () => {
  for (const [name, changes, expected, fails] of [
    ["ready when configured, live and working", {}, undefined, undefined],
    [
      "no configuration yet",
      { "cluster_manager.cds.update_success": 0, "listener_manager.lds.update_success": 0 },
      /no configuration from the control plane yet/,
      "configuration",
    ],
    [
      "rejected configuration",
      { "listener_manager.lds.update_success": 0, "listener_manager.lds.update_rejected": 2 },
      /rejected the control plane's configuration .*LDS 0 accepted, 2 rejected/,
      "configuration",
    ],
    [
      "half of the configuration",
      { "listener_manager.lds.update_success": 0 },
      /not complete yet/,
      "configuration",
    ],
    ["initializing", { "server.state": 3 }, /INITIALIZING/, "live"],
    ["workers not started", { "listener_manager.workers_started": 0 }, /workers have not started/, "workers"],
  ] as const) {
    test(name, () => {
      const verdict = envoyReadiness(new Map(Object.entries({ ...live, ...changes })), {
        clusters: true,
        listeners: true,
        names: [],
      });
      if (expected === undefined) assert.deepEqual(verdict, { ready: true });
      else assert.match(verdict.ready ? "ready" : verdict.reason, expected);
      assert.equal(verdict.ready ? undefined : verdict.fails, fails);
    });
  }
});

test("an Envoy that has asked for nothing yet waits for its own clusters, not for the control plane", () => {
  const awaits = { clusters: true, listeners: true, names: ["zipkin (zipkin.example)"] };
  const reasonOf = (changes: Readonly<Record<string, number>>): string => {
    const verdict = envoyReadiness(new Map(Object.entries(changes)), awaits);
    return verdict.ready ? "ready" : verdict.reason;
  };
  assert.match(
    reasonOf({ "server.state": 2 }),
    /its own clusters: zipkin \(zipkin\.example\) \(wait_for_warm/,
  );
  const asked = { "server.state": 2, "cluster_manager.cds.update_attempt": 1 };
  assert.match(reasonOf(asked), /no configuration from the control plane yet/);
  assert.equal(reasonOf(live), "ready");
});

describe("Envoy's end", () => {
  test("is told in words and as an exit code", () => {
    assert.equal(describeExit({ kind: "signaled", signal: "SIGKILL" }), "ended by SIGKILL");
    assert.equal(describeExit({ kind: "exited", code: 1 }), "exited with code 1");
    assert.equal(exitCodeOf({ kind: "signaled", signal: "SIGSEGV" }), 139);
    assert.equal(exitCodeOf({ kind: "exited", code: 3 }), 3);
    assert.equal(exitCodeOf({ kind: "not-started", message: "ENOENT", code: "ENOENT" }), 127);
  });
});

test("a log level may hold components", () => {
  assert.deepEqual(splitLogLevel("info,misc:error,upstream:debug"), {
    level: "info",
    components: "misc:error,upstream:debug",
    dropped: [],
  });
  assert.deepEqual(splitLogLevel("warning"), { level: "warning", components: undefined, dropped: [] });
});
