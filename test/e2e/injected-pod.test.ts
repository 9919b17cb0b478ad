/** A pod that Istio's injector made runs as it is, with outrider in pilot-agent's place. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { PodReport } from "../support/injected-pod.ts";
import { inOwnNetwork, whyNoOwnNetwork } from "../support/own-network.ts";

test("an injected sidecar runs unchanged, as uid 1337 on a read-only root", async (t) => {
  const obstacle = whyNoOwnNetwork();
  if (obstacle !== undefined) {
    t.skip(obstacle);
    return;
  }
  const report = await inOwnNetwork<PodReport>({
    sysctls: {},
    program: join(import.meta.dirname, "../support/injected-pod.ts"),
    options: {},
  });
  const { lines, ...seen } = report;
  const log = lines.join("\n");
  assert.equal(seen.readiness, 200, log);
  assert.equal(seen.probe, "application", log);
  assert.ok(seen.hasEnvoyMetrics, log);
  assert.deepEqual([seen.agentUid, seen.envoyUid], [1337, 1337]);
  assert.ok(seen.rootIsReadOnly);
  assert.equal(seen.nodeId, "sidecar~127.0.0.1~web-1.demo~demo.svc.cluster.local");
  for (const port of [15_001, 15_006, 15_021, 15_090]) {
    assert.ok(
      seen.listeners.some((line) => line.endsWith(`:${port}`)),
      `nothing listens on ${port}:\n${seen.listeners.join("\n")}`,
    );
  }
  assert.equal(seen.drainCode, 0, log);
  assert.deepEqual(seen.exit, { kind: "exited", code: 0 }, log);
  assert.ok(seen.envoyIsGone);
  assert.match(log, /the certificate is kept for a restart.*isInMemory=true/);
});
