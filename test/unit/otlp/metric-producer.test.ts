import assert from "node:assert/strict";
import { test } from "node:test";
import { metricProducer } from "../../../src/otlp/metric-producer.ts";

test("metrics have the wall clock's times, also when that is set after the start", async (context) => {
  context.mock.timers.enable({ apis: ["Date"], now: 1_000_000_000_000 });
  const family = { name: "left", help: "Left.", kind: "gauge", samples: [{ labels: {}, value: 1 }] } as const;
  const producer = metricProducer({ name: "outrider" }, async () => [family]);
  context.mock.timers.setTime(1_000_003_600_000);
  const { resourceMetrics } = await producer.collect();
  const [point] = resourceMetrics.scopeMetrics[0]?.metrics[0]?.dataPoints ?? [];
  assert.equal(point?.endTime[0], 1_000_003_600);
});
