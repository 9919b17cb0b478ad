import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeAgent } from "../../../src/doctor/running-agent.ts";
import type { AgentReport } from "../../../src/status/contract/agent-report.ts";
import { expectFinding } from "../../support/findings.ts";

const report: AgentReport = {
  ready: true,
  agent: { pid: 1, runsEnvoy: true },
  identity: {},
  xds: { state: "connected", address: "istiod:15012" },
};
const since = "2026-01-01T12:00:00.000Z";

test("doctor begins with why the running agent is not ready, since when, and what to do", () => {
  const conditions = [
    { name: "process", status: "holds", since },
    { name: "live", status: "fails", since, reason: "Envoy is INITIALIZING", remedy: "ask /init_dump" },
  ] as const;
  const reason = "Envoy is INITIALIZING; the CA cannot be reached";
  const [first] = judgeAgent({ ...report, ready: false, reason, conditions });
  expectFinding(
    first,
    "failure",
    /not ready since 2026.*INITIALIZING; the CA cannot be reached/,
    /init_dump/,
  );
  expectFinding(judgeAgent(report)[0], "ok", /is ready/);
});

test("doctor names each problem of a running agent once, ready or not", () => {
  const problems = [
    { cause: "not-ready-live", reason: "Envoy is INITIALIZING", since },
    { cause: "cpu-throttled", reason: "96 %", remedy: "raise the limit", since },
    { cause: "xds-refused", reason: "Envoy refuses", since },
  ];
  const findings = judgeAgent({ ...report, problems });
  assert.deepEqual(
    findings.map(({ name }) => name),
    ["readiness", "cpu-throttled", "refused-configuration"],
  );
  expectFinding(findings[1], "warning", /since 2026.*96 %/, /raise the limit/);
});
