import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventLine, statusLines } from "../../../src/cli/status/lines.ts";
import { newestOfEachType } from "../../../src/cli/status/look.ts";
import type { AgentReport } from "../../../src/status/contract/agent-report.ts";
import type { Exchange } from "../../../src/xdsproxy/report/recorder.ts";

const now = new Date("2026-01-01T12:00:00.000Z");

const report: AgentReport = {
  ready: true,
  agent: { pid: 1, runsEnvoy: true },
  identity: {
    spiffeId: "spiffe://cluster.local/ns/demo/sa/web",
    source: "the CA",
    notAfter: "2026-01-02T11:00:00.000Z",
    nextRotation: "2026-01-01T23:00:00.000Z",
  },
  xds: { state: "connected", address: "istiod:15012" },
  envoy: { state: "live", generation: 2, pid: 33, version: "1.40.0", restarts: 1 },
};

const clusters: Exchange = {
  number: 1,
  at: "2026-01-01T11:59:50.000Z",
  typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  stream: 1,
  source: "control plane",
  version: "v1",
  nonce: "n1",
  names: ["a"],
  resources: 10,
  removed: [],
  bytes: 1_234,
  outcome: "acked",
  latencyMs: 1.5,
};

describe("the screen of outrider status", () => {
  test("of a sidecar that serves says who it is, what it has and what Envoy is", () => {
    assert.deepEqual(statusLines({ report, types: [clusters], log: [] }, now), [
      "ready",
      "identity       spiffe://cluster.local/ns/demo/sa/web, from the CA, valid for 23 h, rotates in 11 h",
      "control plane  connected, istiod:15012",
      "               Cluster                  ACKED after 1.5 ms, 10 resources, 10 s ago",
      "Envoy          live, generation 2, pid 33, 1.40.0, 1 restarts",
    ]);
  });

  test("names what is wrong although the sidecar serves, with the remedy", () => {
    const problem = {
      ...{ cause: "cpu-throttled", reason: "in 48 of 50 periods", remedy: "raise the CPU limit" },
      since: "2026-01-01T11:56:00.000Z",
    };
    const told = { ...report, problems: [problem] };
    assert.deepEqual(statusLines({ report: told, types: [], log: [] }, now).slice(0, 3), [
      "ready          with 1 problem",
      "problem        ✖ cpu-throttled, for 4 min: in 48 of 50 periods",
      "               → raise the CPU limit",
    ]);
  });

  test("begins with why the sidecar does not serve", () => {
    const [first] = statusLines(
      { report: { ...report, ready: false, reason: "no route" }, types: [], log: [] },
      now,
    );
    assert.equal(first, "NOT READY      no route");
  });

  test("tells an expired certificate, a problem, a stale configuration and what Envoy refuses", () => {
    const troubled: AgentReport = {
      ...report,
      identity: { notAfter: "2026-01-01T11:00:00.000Z", problem: "the CA refuses the token" },
      xds: {
        ...report.xds,
        problem: "connection refused",
        stale: { asOf: "2026-01-01T11:50:00.000Z", ageSeconds: 600 },
        refused: [
          {
            typeUrl: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
            name: "80",
            reason: "bad regex",
            since: "2026-01-01T11:55:00.000Z",
            serves: "last accepted",
          },
        ],
      },
      envoy: {
        state: "restarting",
        restarts: 3,
        problem: "Envoy was killed",
        swapWaitsFor: "the end of the Envoy before",
        configurationProblems: ["PROXY_CONFIG: concurrency: is not a number"],
        lastSwap: {
          trigger: "a change of mesh.yaml",
          at: "2026-01-01T11:58:00.000Z",
          report: { result: "refused", stage: "validate", reason: "no such field" },
        },
        lastExit: {
          generation: 1,
          reason: "oom",
          message: "killed for memory",
          at: "2026-01-01T11:59:00.000Z",
        },
      },
    };
    const text = statusLines({ report: troubled, types: [], log: [] }, now).join("\n");
    for (const part of [
      "none yet, ✖ expired 1 h ago",
      "✖ the CA refuses the token",
      "✖ connection refused",
      "✖ stale: what Envoy has is from 2026-01-01T11:50:00.000Z, 10 min ago",
      "RouteConfiguration  80",
      "bad regex",
      "✖ Envoy was killed",
      "a swap waits for the end of the Envoy before",
      "✖ PROXY_CONFIG: concurrency: is not a number",
      "last swap 2 min ago for a change of mesh.yaml: refused at validate: no such field",
      "generation 1 ended 1 min ago: killed for memory",
    ])
      assert.ok(text.includes(part), `${part} is missing from:\n${text}`);
  });

  test("ends with what has happened, warnings marked", () => {
    const at = "2026-01-01T11:59:59.123Z";
    assert.equal(
      eventLine({
        at,
        level: "warn",
        scope: "ca",
        message: "no certificate",
        fields: { reason: "a\nb", try: 2 },
      }),
      " 11:59:59 ✖ ca no certificate reason=a b try=2",
    );
    assert.equal(
      eventLine({ at, level: "info", scope: "default", message: "outrider starts", fields: {} }),
      " 11:59:59 · outrider starts",
    );
  });
});

test("of each type the newest exchange is shown", () => {
  const later = { ...clusters, number: 3, outcome: "nacked" as const };
  const listeners = {
    ...clusters,
    number: 2,
    typeUrl: "type.googleapis.com/envoy.config.listener.v3.Listener",
  };
  assert.deepEqual(newestOfEachType([clusters, listeners, later]), [later, listeners]);
});
