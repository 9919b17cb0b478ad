/** A pod's whole life of traffic: captured, resolved by the sidecar, carried in mutual TLS, and left clean. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { MeshReport } from "../support/captured-mesh.ts";
import { expectFinding } from "../support/findings.ts";
import { inOwnNetwork, whyNoOwnNetwork } from "../support/own-network.ts";
import { assertCalls } from "../support/pod-calls.ts";

const captureFindings = ["capture-rules", "capture-probe", "capture-dns"];

test("applications that know of no mesh talk by name through it, over HTTP, HTTPS, TCP and gRPC, while Envoys are replaced", async (t) => {
  const obstacle = whyNoOwnNetwork();
  if (obstacle !== undefined) {
    t.skip(obstacle);
    return;
  }
  const report = await inOwnNetwork<MeshReport>({
    sysctls: {},
    program: join(import.meta.dirname, "../support/captured-mesh.ts"),
    options: {},
  });
  assert.match(report.init, /^applied: IPv4 rules \(nft\)\nproven: /);
  assertCalls(report);
  assert.equal(report.fromOutside, "refused");
  const { reports, modes, answered, failed, summary } = report.swaps;
  for (const swap of reports) {
    assert.match(swap.result, /^(?:swapped|unchanged)$/, JSON.stringify(swap));
    assert.ok("generation" in swap && swap.generation === 2);
  }
  assert.deepEqual(modes, ["hot", "overlap"]);
  assert.ok(answered > 0);
  assert.equal(failed, 0, summary);
  const { root, proxy } = report.examined;
  assert.deepEqual(
    [...root, ...proxy].map(({ name, verdict }) => [name, verdict]),
    [...captureFindings, ...captureFindings].map((name) => [name, "ok"]),
  );
  assert.match(root[0]?.seen ?? "", /another pod lands on port 15001.*outside lands on port 15006/);
  assert.match(root[1]?.seen ?? "", /user 0 to 192\.0\.2\.1:15002 lands on port 15001/);
  assert.match(proxy[0]?.seen ?? "", /needs NET_ADMIN/);
  assert.match(proxy[1]?.seen ?? "", /user 1337 to 127\.0\.0\.6:15002 lands on port 15006/);
  assert.match(root[2]?.seen ?? "", /10\.96\.0\.10:53 \(UDP, TCP\) come to the DNS proxy/);
  assert.match(proxy[2]?.seen ?? "", /not to be seen as user 1337/);
  assert.ok(report.isClean);
  const astray = report.examined.uncaptured.find(({ name }) => name === "capture-dns");
  expectFinding(astray, "warning", /10\.96\.0\.10:53 \(UDP, TCP\) do not come/, /--redirect-dns/);
});
