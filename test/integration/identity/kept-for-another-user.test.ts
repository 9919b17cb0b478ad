import assert from "node:assert/strict";
import { chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lookAtIdentity } from "../../../src/doctor/caches.ts";
import { pem, testAuthority } from "../../support/ca-files.ts";
import { hasRoot } from "../../support/privilege.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

test("root beside an agent of another user judges a kept certificate as that agent would", async (t) => {
  if (!hasRoot(t)) return;
  using folder = temporaryFolder();
  const certificate = pem(await testAuthority());
  const path = join(folder.path, "identity.secret");
  const kept = { certificateChainPem: certificate, privateKeyPem: "", rootPem: certificate };
  writeFileSync(path, JSON.stringify(kept), { mode: 0o600 });
  chownSync(path, 1337, 1337);
  const agentOf = (uid: number): ReturnType<typeof lookAtIdentity> =>
    lookAtIdentity(folder.path, { uid, groups: [uid] });
  assert.equal(agentOf(1337)?.kind, "kept");
  assert.equal(agentOf(1338)?.kind, "unreadable");
  assert.equal(lookAtIdentity(folder.path, undefined)?.kind, "not-told");
});
