import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { measureEventLoop } from "../../../src/telemetry/event-loop.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";

const blockedMs = 300;

test("the longest turn of the event loop is told once", async () => {
  const metrics = new Metrics("pilot_");
  using _measured = measureEventLoop(metrics);
  const longestMs = async (): Promise<number> => {
    const found = /^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(await metrics.render());
    return Number(found?.[1]) * 1_000;
  };
  await longestMs();
  // What is recorded begins with the second look after a scrape.
  await sleep(50);
  for (const until = performance.now() + blockedMs; performance.now() < until;);
  await sleep(50);
  // The timer that looks had some milliseconds to go when it began.
  assert.ok((await longestMs()) >= blockedMs - 20);
  assert.notEqual(await longestMs(), Number.NaN);
});
