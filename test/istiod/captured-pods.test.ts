import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { IstiodPodsReport } from "../support/istiod/captured-pods.ts";
import { inOwnNetwork, whyNoOwnNetwork } from "../support/own-network.ts";
import { assertCalls } from "../support/pod-calls.ts";

test("with a real istiod applications that know of no mesh talk by name through it, over HTTP, HTTPS, TCP and gRPC", async (t) => {
  const obstacle = whyNoOwnNetwork();
  if (obstacle !== undefined) {
    t.skip(obstacle);
    return;
  }
  const report = await inOwnNetwork<IstiodPodsReport>({
    sysctls: {},
    program: join(import.meta.dirname, "../support/istiod/captured-pods.ts"),
    options: {},
  });
  assertCalls(report);
  assert.equal(report.fromOutside, "refused");
  assert.ok(report.isClean);
});
