/** A clock that is set, ahead or back, under a running identity. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { TestCa } from "../../support/ca.ts";
import { eventually } from "../../support/eventually.ts";
import { identityOptions, webIdentity } from "../../support/identity-options.ts";
import { jwtExpiringAt } from "../../support/jwt.ts";
import { runManager } from "../../support/running-manager.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { validity } from "../../support/test-pki.ts";
import { svid, TestWorkloadApi } from "../../support/workload-api.ts";

const second = 1_000;
const hour = 3_600 * second;

describe("a clock that is set", { concurrency: true }, () => {
  test("back by three hours: the next certificate comes when it was due", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    // Of the wrong clock's four seconds half are over after two.
    ca.answer = ca.issuing(() => validity(-60 * second, 3 * hour + 4 * second));
    const options = identityOptions(folder.path, ca);
    writeFileSync(options.tokenPath, jwtExpiringAt(new Date(Date.now() + 12 * hour)));
    await using running = runManager(options, 3 * hour);
    const first = await running.secret();
    running.setClock(0);
    await running.secret(({ serial }) => serial !== first.serial);
    await eventually(
      "the next rotation by the right clock",
      () => {
        const { nextRotation } = running.manager.state.current;
        assert.ok((nextRotation?.getTime() ?? 0) > Date.now() + hour);
      },
      { withinMs: 5_000 },
    );
  });

  test("ahead, beyond the certificate's end: the CA is asked now, and again once it is right", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    await using running = runManager(identityOptions(folder.path, ca));
    const first = await running.secret();
    running.setClock(2 * hour);
    assert.match(await running.problem("TOKEN_EXPIRED"), /expired at/);
    running.setClock(0);
    await running.secret(({ serial }) => serial !== first.serial);
    assert.equal(running.manager.state.current.problem, undefined);
  });

  test("ahead, far from the end: what is left is shared anew", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    ca.answer = ca.issuing(() => validity(-60 * second, 10 * hour));
    await using running = runManager(identityOptions(folder.path, ca));
    await running.secret();
    running.setClock(0.5 * hour);
    await eventually(
      "an earlier rotation",
      () => {
        const { nextRotation } = running.manager.state.current;
        const inMs = (nextRotation?.getTime() ?? 0) - (Date.now() + 0.5 * hour);
        assert.ok(Math.abs(inMs - 4.75 * hour) < 0.3 * hour, `in ${inMs / hour} h`);
      },
      { withinMs: 5_000 },
    );
    assert.equal(ca.calls.length, 1);
  });

  for (const [side, aheadMs] of [
    ["ahead", 600 * second],
    ["behind", -120 * second],
  ] as const)
    test(`right again after it was ${side}: it is not called wrong until the next rotation`, async () => {
      using folder = temporaryFolder();
      await using ca = await TestCa.listen();
      await using running = runManager(identityOptions(folder.path, ca), aheadMs);
      const { state } = running.manager;
      await eventually(
        "the difference",
        () => assert.equal(Math.sign(state.current.clockSkew?.aheadMs ?? 0), Math.sign(aheadMs)),
        { withinMs: 10_000 },
      );
      running.setClock(0);
      await running.secret();
      await eventually("no difference", () => assert.equal(state.current.clockSkew, undefined), {
        withinMs: 20_000,
      });
      assert.equal(ca.calls.length, 1);
    });

  test("right again: mounted files that had expired by it are served, and no longer complained of", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    const certificates = join(folder.path, "certs");
    mkdirSync(certificates);
    const files = {
      certificateChainPath: join(certificates, "cert-chain.pem"),
      privateKeyPath: join(certificates, "key.pem"),
      rootCertificatePath: join(certificates, "root-cert.pem"),
    };
    const pair = await ca.pki.serverKeyPair([webIdentity], validity(-60 * second, hour));
    writeFileSync(files.rootCertificatePath, ca.pki.rootPem);
    writeFileSync(files.certificateChainPath, pair.certificatePem);
    writeFileSync(files.privateKeyPath, pair.privateKeyPem);
    const source = { kind: "files", files } as const;
    await using running = runManager(identityOptions(folder.path, ca, { source }), 2 * hour);
    await running.problem("CERTIFICATE_INVALID");
    const good = async (): Promise<void> => {
      await running.secret();
      await eventually("no problem", () => assert.equal(running.manager.state.current.problem, undefined), {
        withinMs: 5_000,
      });
    };
    running.setClock(0);
    await good();
    running.setClock(2 * hour);
    await running.problem("CERTIFICATE_INVALID");
    running.setClock(0);
    await good();
  });

  test("right again: what a Workload API said once is taken", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    const path = join(folder.path, "agent.sock");
    const pair = await ca.pki.serverKeyPair([webIdentity], validity(-60 * second, hour));
    await using api = await TestWorkloadApi.listen(path, [svid(webIdentity, pair, [ca.pki.rootPem])]);
    const source = { kind: "workload-api", target: `unix:${path}` } as const;
    await using running = runManager(identityOptions(folder.path, ca, { source }), 2 * hour);
    await running.problem("CERTIFICATE_INVALID");
    running.setClock(0);
    await running.secret();
    assert.equal(api.streams, 1);
  });

  test("right again: the kept certificate of an earlier run is served while the CA is away", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    const cache = { folder: join(folder.path, "kept"), allowDisk: true };
    const options = identityOptions(folder.path, ca, { cache });
    {
      await using before = runManager(options);
      await before.secret();
      await eventually("the file", () => assert.ok(existsSync(join(cache.folder, "identity.secret"))), {
        withinMs: 5_000,
      });
    }
    await using after = runManager({ ...options, caAddress: "127.0.0.1:1" }, -30 * 24 * hour);
    await after.problem("CA_UNAVAILABLE");
    assert.equal(after.manager.state.current.secret, undefined);
    after.setClock(0);
    await after.secret();
    assert.equal(after.manager.state.current.source, "the identity cache");
  });
});
