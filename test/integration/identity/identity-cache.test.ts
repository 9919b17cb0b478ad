import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { GrpcError } from "../../../src/grpc/grpc-error.ts";
import { TestCa } from "../../support/ca.ts";
import { eventually } from "../../support/eventually.ts";
import { identityOptions, webIdentity } from "../../support/identity-options.ts";
import { memoryFolder } from "../../support/memory-folder.ts";
import { runManager } from "../../support/running-manager.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { svid, TestWorkloadApi } from "../../support/workload-api.ts";
import { validity } from "../../support/test-pki.ts";

const down = (): Promise<never> => Promise.reject(new GrpcError("UNAVAILABLE", "down"));

describe("--identityCache", () => {
  test("serves the last certificate at once after a restart while the CA is down, and says so", async () => {
    using folder = temporaryFolder();
    using memory = memoryFolder();
    await using ca = await TestCa.listen();
    const cache = { folder: join(memory.path, "identity"), allowDisk: false };
    const options = identityOptions(folder.path, ca, { cache });
    let serial: string;
    {
      await using before = runManager(options);
      ({ serial } = await before.secret());
      await eventually(
        "kept",
        () => assert.match(before.lines.join("\n"), /is kept for a restart.*isInMemory=true/),
        { withinMs: 5_000 },
      );
    }
    assert.equal(statSync(join(cache.folder, "identity.secret")).mode & 0o777, 0o600);
    assert.equal(statSync(cache.folder).mode & 0o777, 0o700);

    ca.answer = down;
    await using after = runManager(options);
    assert.equal((await after.secret()).serial, serial);
    assert.equal(after.manager.state.current.source, "the identity cache");
    assert.match(
      after.lines.join("\n"),
      /serving the certificate of an earlier run until a new one comes.*certificateAge="[\d.]+ s" endsIn="(?:60|59) min.*" token="of unknown age, ends in (?:60|59) min/,
    );
    assert.match(await after.metrics.render(), /istio_agent_cert_age_seconds\{resource_name="default"\} \d/);
    await after.problem("CA_UNAVAILABLE");
    assert.equal(after.manager.state.current.secret?.serial, serial);
    assert.doesNotMatch(after.lines.join("\n"), /PRIVATE KEY/);

    ca.answer = ca.issuing(() => validity(-60_000, 3_600_000));
    await after.secret((secret) => secret.serial !== serial);
  });

  test("serves what a Workload API gave until it took it back, and not after", async () => {
    using folder = temporaryFolder();
    using memory = memoryFolder();
    await using ca = await TestCa.listen();
    const socket = join(folder.path, "agent.sock");
    const cache = { folder: memory.path, allowDisk: false };
    const options = identityOptions(folder.path, ca, {
      cache,
      source: { kind: "workload-api", target: `unix:${socket}` },
    });
    const path = join(memory.path, "identity.secret");
    const pair = await ca.pki.serverKeyPair([webIdentity], validity(-60_000, 3_600_000));
    const { serialNumber } = new X509Certificate(pair.certificatePem);
    const given = [svid(webIdentity, pair, [ca.pki.rootPem])];
    {
      await using api = await TestWorkloadApi.listen(socket, given);
      api.federatedBundles = { "spiffe://other.org": new X509Certificate(ca.pki.rootPem).raw };
      await using before = runManager(options);
      await before.secret();
      await eventually("kept", () => statSync(path), { withinMs: 5_000 });
    }
    await using after = runManager(options);
    assert.equal((await after.secret()).serial, serialNumber);
    assert.deepEqual(
      [...((await after.secret()).federatedBundles ?? [])].map(([name]) => name),
      ["other.org"],
    );
    await after.problem("WORKLOAD_API_UNAVAILABLE");
    await using _ = await TestWorkloadApi.listen(socket, []);
    await after.problem("WORKLOAD_API_DENIED");
    assert.equal(after.manager.state.current.secret, undefined);
    await eventually("forgotten", () => assert.equal(existsSync(path), false), { withinMs: 5_000 });
  });

  test("keeps nothing on a disk, unless it is allowed to", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    const disk = mkdtempSync(join(import.meta.dirname, "cache-"));
    try {
      const options = (allowDisk: boolean): typeof base => ({ ...base, cache: { folder: disk, allowDisk } });
      const base = identityOptions(folder.path, ca);
      {
        await using refused = runManager(options(false));
        await refused.secret();
        await eventually("refused", () => assert.match(refused.lines.join("\n"), /not kept.*not in memory/), {
          withinMs: 5_000,
        });
        assert.deepEqual(readdirSync(disk), []);
      }
      await using allowed = runManager(options(true));
      await allowed.secret();
      await eventually("kept", () => assert.ok(existsSync(join(disk, "identity.secret"))), {
        withinMs: 5_000,
      });
    } finally {
      rmSync(disk, { recursive: true });
    }
  });

  test("by itself keeps it in a folder of ours in memory alone, and says once why not elsewhere", async () => {
    using folder = temporaryFolder();
    using memory = memoryFolder();
    await using ca = await TestCa.listen();
    ca.answer = ca.issuing(() => validity(-60_000, 2_000));
    const disk = mkdtempSync(join(import.meta.dirname, "cache-"));
    const shared = join(memory.path, "shared");
    mkdirSync(shared);
    chmodSync(shared, 0o777);
    const elsewhere = join(memory.path, "elsewhere");
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, join(memory.path, "link"));
    try {
      for (const [where, reason] of [
        [join(disk, "identity-cache"), /not kept for a restart.*not in memory/],
        [shared, /not kept for a restart.*everybody may write it/],
        [join(memory.path, "link"), /not kept for a restart.*it is a link/],
      ] as const) {
        const cache = { folder: where, allowDisk: false, isAutomatic: true };
        await using running = runManager(identityOptions(folder.path, ca, { cache }));
        const first = await running.secret();
        await running.secret(({ serial }) => serial !== first.serial);
        await eventually("told", () => assert.match(running.lines.join("\n"), reason), { withinMs: 5_000 });
        const told = running.lines.filter((line) => line.includes("not kept"));
        assert.equal(told.length, 1);
        assert.match(told.join(""), /^info/);
      }
      assert.deepEqual(
        [disk, shared, elsewhere].flatMap((path) => readdirSync(path)),
        [],
      );
    } finally {
      rmSync(disk, { recursive: true });
    }
  });

  test("does not use a file that others may read, that is for another identity, or that has expired", async () => {
    using folder = temporaryFolder();
    using memory = memoryFolder();
    await using ca = await TestCa.listen();
    ca.answer = ca.issuing(() => validity(-60_000, 30_000));
    const cache = { folder: memory.path, allowDisk: false };
    const options = identityOptions(folder.path, ca, { cache });
    const path = join(memory.path, "identity.secret");
    {
      await using before = runManager(options);
      await before.secret();
      await eventually("kept", () => statSync(path), { withinMs: 5_000 });
    }
    ca.answer = down;
    const refusal = async (
      changes: Partial<typeof options>,
      reason: RegExp,
      clockAheadMs = 0,
    ): Promise<void> => {
      await using after = runManager({ ...options, ...changes }, clockAheadMs);
      await after.problem("CA_UNAVAILABLE");
      assert.equal(after.manager.state.current.secret, undefined);
      assert.match(after.lines.join("\n"), reason);
    };
    await refusal({ serviceAccount: "other" }, /not used.*it is for spiffe.*web, not for .*other/);
    await refusal({}, /not used.*it expired at/, 60_000);
    chmodSync(path, 0o644);
    await refusal({}, /not used.*others than this user/);
  });
});
