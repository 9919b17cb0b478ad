import assert from "node:assert/strict";
import { test } from "node:test";
import { runFlaps } from "../../support/flapping.ts";

test("a control plane that flaps stops no traffic, and its last configuration is what Envoy gets", async () => {
  const { flaps, requests, failed, lines, connections } = await runFlaps({
    ...{ flaps: 20, connections: 3, periodMs: 500 },
  });
  assert.deepEqual(failed, []);
  assert.ok(requests > 100, `${requests} requests are too few to show anything`);
  assert.ok(connections > 2, `connected ${connections} times, which is no flapping`);
  assert.ok(lines < flaps * 6, `${lines} lines of log for ${flaps} flaps`);
});
