/** Over ADS, too, `proxy-status` tells which registry of a control plane does not answer. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DiscoveryPlane } from "../../support/discovery-plane.ts";
import { eventually } from "../../support/eventually.ts";
import { runCtl } from "../../support/outriderctl.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

test("proxy-status over ADS tells of a registry that is gone", async () => {
  using folder = temporaryFolder();
  const followed = await DiscoveryPlane.start({});
  const address = `127.0.0.1:${followed.server.ports.grpc ?? assert.fail()}`;
  await using plane = await DiscoveryPlane.start({}, { controlPlanes: [{ address, isPlainText: true }] });
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder.path, name), content);
    return join(folder.path, name);
  };
  const words = [
    ...["proxy-status", "--xds-address", `127.0.0.1:${plane.server.ports.secureGrpc}`],
    ...["--ca-file", file("root.pem", plane.server.rootCertificatePem)],
    ...["--authority", "istiod.istio-system.svc"],
    ...["--token-file", file("token", await plane.token("operator", "istio-system"))],
  ];
  const before = await runCtl(...words);
  assert.equal(before.code, 0, before.errors.join("\n"));
  assert.doesNotMatch(before.lines.join("\n"), /registry/);
  await followed[Symbol.asyncDispose]();
  await eventually(
    "a word on it",
    async () => {
      const { lines } = await runCtl(...words);
      assert.match(
        lines.join("\n"),
        /^registry xds-127\.0\.0\.1-\d+: does not answer; what it had .* ago is served$/m,
      );
    },
    { withinMs: 20_000 },
  );
});
