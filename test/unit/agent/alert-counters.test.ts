/** Prometheus sees no increase in a series that appears with its first count: what alerts look at is there at 0 before. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { registerLogMetrics } from "../../../src/agent/own-log.ts";
import { registerSupervisionMetrics } from "../../../src/agent/supervision-metrics.ts";
import { exitReasons } from "../../../src/envoy/exits/exit-diagnosis.ts";
import { SupervisionReport } from "../../../src/envoy/supervision/report.ts";
import { initialState } from "../../../src/envoy/supervision/state.ts";
import { identityErrorCodes } from "../../../src/identity/identity-error.ts";
import { SecretStore } from "../../../src/identity/secret-store.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";
import { otlpMetrics } from "../../../src/otlp/metrics.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import type { XdsState } from "../../../src/xdsproxy/report/state.ts";
import { XdsMetrics } from "../../../src/xdsproxy/report/xds-metrics.ts";
import { policy } from "../../support/supervision/launches.ts";
import { testLog } from "../../support/test-log.ts";

const rules = readFileSync(join(import.meta.dirname, "../../../docker/prometheus-rules.yaml"), "utf8");

const state: XdsState = {
  kind: "connecting",
  address: "istiod:15012",
  sinceMs: 0,
  types: {},
  refused: [],
};

/** What an agent exposes to which nothing has happened. */
function atStart(): Promise<string> {
  const metrics = new Metrics("istio_agent_");
  const { log } = testLog();
  const now = (): Date => new Date(0);
  const supervisor = { report: new SupervisionReport(initialState(policy)), refused: undefined };
  registerSupervisionMetrics(metrics, { supervisor, reloader: { problems: [] } });
  registerLogMetrics(metrics, { lostLines: () => [["stdout", 0]] });
  new SecretStore({ log, metrics, now, trustBundles: new Watch<readonly string[]>([]) });
  otlpMetrics(metrics.withPrefix("outrider_"));
  new XdsMetrics(metrics, () => state);
  return metrics.render();
}

describe("before anything has happened", () => {
  const increases = [...rules.matchAll(/increase\((\w+)(?:\{(.*?)\})?\[/g)];

  for (const [, name = "", labels = ""] of increases) {
    test(`the alert about ${name} has a series to see an increase in`, async () => {
      const own = (await atStart()).split("\n").filter((line) => new RegExp(`^${name}[{ ]`).test(line));
      const asked = own.filter((line) => line.includes(labels));
      assert.notDeepEqual(asked, []);
      for (const line of asked) assert.match(line, / 0$/);
    });
  }

  test("every end of an Envoy and every failure of an identity is at 0", async () => {
    const text = await atStart();
    for (const reason of exitReasons)
      assert.ok(text.includes(`outrider_envoy_exits_total{reason="${reason}"} 0\n`), reason);
    for (const cause of identityErrorCodes)
      assert.ok(text.includes(`istio_agent_identity_failures_total{cause="${cause}"} 0\n`), cause);
  });

  test("there are alerts to ask about", () => {
    assert.ok(increases.length >= 6);
  });
});
