import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { GrpcError } from "../../../src/grpc/grpc-error.ts";
import { TestCa } from "../../support/ca.ts";
import { eventually } from "../../support/eventually.ts";
import { identityOptions } from "../../support/identity-options.ts";
import { runManager } from "../../support/running-manager.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { validity } from "../../support/test-pki.ts";

/** A folder in memory. */
function memoryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync("/dev/shm/outrider-");
  return {
    path,
    [Symbol.dispose]: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

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
      await eventually("kept", () => statSync(join(cache.folder, "identity.json")), { withinMs: 5_000 });
    }
    assert.equal(statSync(join(cache.folder, "identity.json")).mode & 0o777, 0o600);
    assert.equal(statSync(cache.folder).mode & 0o777, 0o700);

    ca.answer = down;
    await using after = runManager(options);
    assert.equal((await after.secret()).serial, serial);
    assert.equal(after.manager.state.current.source, "the identity cache");
    assert.match(after.lines.join("\n"), /serving the certificate of an earlier run until the CA answers/);
    await after.problem("CA_UNAVAILABLE");
    assert.equal(after.manager.state.current.secret?.serial, serial);
    assert.doesNotMatch(after.lines.join("\n"), /PRIVATE KEY/);

    ca.answer = ca.issuing(() => validity(-60_000, 3_600_000));
    await after.secret((secret) => secret.serial !== serial);
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
      await eventually("kept", () => assert.ok(existsSync(join(disk, "identity.json"))), {
        withinMs: 5_000,
      });
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
    const path = join(memory.path, "identity.json");
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
