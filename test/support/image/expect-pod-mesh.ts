/** What a pod of the image is to do, whatever its files come from. */
import assert from "node:assert/strict";
import type { PodMeshReport } from "./pod-mesh.ts";

export function expectPodMesh({ lines, ...seen }: PodMeshReport): void {
  const log = lines.join("\n");
  assert.match(seen.init, /^applied: IPv4 rules/);
  assert.match(seen.call.http, /^application: .*URI=spiffe:\/\/cluster\.local\/ns\/demo\/sa\/web/);
  for (const protocol of ["https", "tcp", "grpc"] as const)
    assert.match(seen.call[protocol], /^application: over /, protocol);
  assert.equal(seen.fromOutside, "refused");
  assert.match(seen.probe, /^200 application/);

  const { confinement } = seen;
  assert.deepEqual(new Set(confinement.uids), new Set([1_337]), log);
  assert.deepEqual(new Set(confinement.capabilities), new Set(["0".repeat(16)]));
  assert.ok(confinement.noNewPrivileges && confinement.rootIsReadOnly);
  assert.equal(confinement.seccomp, 2);
  assert.equal(confinement.pidInside, 1);

  assert.ok(seen.orphans.left > 0);
  assert.equal(seen.orphans.zombies, 0, log);
  // The sidecar ends by itself, within the grace period: a SIGKILL would be a code of 137.
  assert.deepEqual(seen.exits["istio-proxy"], { kind: "exited", code: 0 }, log);
  assert.match(log, /drained\s+because=/);
}
