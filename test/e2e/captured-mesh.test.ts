/** A pod's whole life of traffic: captured, resolved by the sidecar, carried in mutual TLS, and left clean. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { MeshReport } from "../support/captured-mesh.ts";
import { inOwnNetwork, whyNoOwnNetwork } from "../support/own-network.ts";

test("applications that know of no mesh talk by name through it, over HTTP, TCP and gRPC", async (t) => {
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
  for (const seen of [report.byName, report.byShortName]) {
    assert.match(seen.http, /^application: .*URI=spiffe:\/\/cluster\.local\/ns\/demo\/sa\/web/);
    assert.equal(seen.tcp, "application: over TCP");
    assert.equal(seen.grpc, "application: over gRPC");
  }
  assert.equal(report.fromOutside, "refused");
  assert.ok(report.isClean);
});
