/** `outriderctl proxy-status` asks a real istiod, which has not all pages that ours has. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { accountToken } from "../support/istiod/account-token.ts";
import { startIstiod } from "../support/istiod/istiod.ts";
import { runCtl } from "../support/outriderctl.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("proxy-status asks istiod over ADS", async () => {
  using folder = temporaryFolder();
  await using istiod = await startIstiod(folder.path, {});
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder.path, name), content);
    return join(folder.path, name);
  };
  const address = `127.0.0.1:${istiod.ports.tls}`;
  const { code, lines, errors } = await runCtl(
    ...["proxy-status", "--xds-address", address, "--authority", "istiod.istio-system.svc"],
    ...["--ca-file", file("root.pem", istiod.rootPem)],
    ...["--token-file", file("token", accountToken("istio-system", "operator"))],
  );
  assert.deepEqual(errors, []);
  assert.equal(code, 0);
  assert.deepEqual(lines, [`no proxy is connected to ${address}`]);
});
