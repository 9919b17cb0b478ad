import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { agentReport, type ReportSources } from "../../../src/agent/report.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";
import { isOfSidecar } from "../../../src/status/contract/agent-report.ts";
import { reportRoute } from "../../../src/status/routes/report.ts";

const sources: ReportSources = {
  pid: 7,
  readiness: async () => ({ ready: false, reason: "Envoy is draining" }),
  identity: new Watch({ problem: { code: "TOKEN_MISSING", message: "there is no token" } }),
  xds: new Watch({
    kind: "disconnected",
    address: "istiod:15012",
    sinceMs: 0,
    types: {},
    refused: [
      {
        typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        name: "web",
        reason: "no",
        since: new Date(0),
        serves: "nothing",
        wasAccepted: false,
        isKept: false,
      },
    ],
  }),
  problems: () => [],
  workload: undefined,
  envoy: undefined,
};

describe("agentReport()", () => {
  test("has the same shape with an Envoy and without", async () => {
    const without = await agentReport(sources);
    assert.deepEqual(without, {
      ready: false,
      reason: "Envoy is draining",
      problems: [],
      agent: { pid: 7, runsEnvoy: false },
      identity: { problem: "there is no token" },
      xds: {
        state: "disconnected",
        address: "istiod:15012",
        refused: [
          {
            typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
            name: "web",
            reason: "no",
            since: "1970-01-01T00:00:00.000Z",
            serves: "nothing",
          },
        ],
      },
    });
    const envoy = { state: "draining", generation: 2, restarts: 1 };
    const sidecar = await agentReport({ ...sources, envoy: async () => envoy });
    assert.deepEqual(sidecar, { ...without, agent: { pid: 7, runsEnvoy: true }, envoy });
    assert.deepEqual([without, sidecar].map(isOfSidecar), [false, true]);
  });

  test("is taken for an agent's by whoever asks, once it was sent", async () => {
    const sent = JSON.stringify(await agentReport(sources));
    assert.ok(reportRoute.isBody(JSON.parse(sent)));
  });
});
