import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { startForeignIdentity } from "../../support/foreign-identity.ts";
import { startLoad } from "../../support/load.ts";
import { runOutrider } from "../../support/outrider.ts";
import { serves } from "../../support/serves.ts";
import { TestPki } from "../../support/test-pki.ts";

describe("certificates from mounted files at one end and from a SPIFFE Workload API at the other", () => {
  test("rotate, their roots too, with no failed request; and outrider certs shows what is served", async () => {
    const [old, next] = await Promise.all([TestPki.create(), TestPki.create()]);
    await using foreign = await startForeignIdentity(old);
    const { mesh } = foreign;
    assert.equal((await mesh.call()).status, 200);
    const header = String(mesh.app.requests.at(-1)?.["x-forwarded-client-cert"]);
    assert.match(header, /;URI=spiffe:\/\/cluster\.local\/ns\/demo\/sa\/web$/);

    await using load = startLoad(() => mesh.call());
    let web = "";
    for (const [issuer, roots] of [
      [old, [old]],
      [old, [old]],
      // A root is replaced in three steps: both are trusted before any certificate of the new one is used.
      [old, [old, next]],
      [next, [old, next]],
      [next, [next]],
    ] as const) {
      const issued = await foreign.rotate(issuer, roots);
      ({ web } = issued);
      await Promise.all([
        serves(mesh.web, issued.web, roots.length),
        serves(mesh.api, issued.api, roots.length),
      ]);
      await load.more(25);
    }
    assert.deepEqual(await load.stop(), []);

    assert.equal(readFileSync(join(foreign.outputFolder, "cert-chain.pem"), "utf8"), web);
    for (const { agent } of [mesh.web, mesh.api]) {
      assert.doesNotMatch(agent.lines.join("\n"), /PRIVATE KEY/);
    }
    const { exit, output } = await runOutrider({
      args: ["certs"],
      cwd: mesh.web.folder,
      env: {
        PROXY_CONFIG: JSON.stringify({
          proxyAdminPort: mesh.web.ports.admin,
          statusPort: mesh.web.ports.status,
        }),
      },
      withinMs: 10_000,
    });
    assert.deepEqual(exit, { kind: "exited", code: 0 }, output);
    assert.match(output, /source +the file .*tls\.crt/);
    assert.match(
      output,
      new RegExp(`✔ certificate ${new X509Certificate(web).serialNumber.replace(/^0+/, "")} URI:spiffe`),
    );
  });
});
