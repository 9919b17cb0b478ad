import assert from "node:assert/strict";
import { test } from "node:test";
import { startOtlp } from "../../../src/agent/otlp.ts";
import type { OtlpTarget } from "../../../src/otlp/options.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { Redactor } from "../../../src/telemetry/redactor.ts";
import { startOtlpReceiver } from "../../support/otlp-receiver.ts";
import { testLog } from "../../support/test-log.ts";

const secret = "Gh7kQ2mZ-planted";

test("what the agent exports has no secret of the configuration in it, the endpoint's own included", async () => {
  await using receiver = await startOtlpReceiver();
  const target = (signal: string): OtlpTarget => ({
    url: `${receiver.url}/v1/${signal}`,
    protocol: "http/json",
    headers: {
      "api-key": `${secret}-of-the-endpoint`,
      "x-scope-orgid": "cluster-1",
      "x-team": "istio_agent",
    },
    timeoutMs: 30_000,
    compression: "none",
    tls: { rootPath: undefined, certificatePath: undefined, keyPath: undefined },
  });
  const metrics = new Metrics("istio_agent_");
  metrics.counter("pushes", "Pushes.", ["source"]).inc({ source: `from ${secret} in cluster-1` });
  {
    await using otlp = startOtlp(
      {
        ...{ traces: target("traces"), metrics: target("metrics"), metricsIntervalMs: 1_000 },
        resource: { "service.name": "outrider" },
      },
      { version: "1", metrics, redactor: new Redactor([secret]), log: testLog().log },
    );
    otlp?.spans({
      name: "ca.sign",
      startedAt: 0,
      attributes: { address: `at ${secret}` },
      error: `${secret}-of-the-endpoint was refused`,
    });
  }
  const sent = receiver.exports.map(({ body }) => body.toString("utf8")).join("\n");
  assert.match(sent, /istio_agent_pushes/);
  assert.match(sent, /in cluster-1/);
  assert.match(sent, /ca\.sign/);
  assert.doesNotMatch(sent, /planted/);
});
