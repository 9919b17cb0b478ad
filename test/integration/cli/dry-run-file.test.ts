import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstatSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runOutrider } from "../../support/outrider.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

function dryRun(path: string): ReturnType<typeof runOutrider> {
  return runOutrider({
    args: ["iptables", "--dry-run", "-b", "*"],
    env: { DRY_RUN_FILE_PATH: path },
    withinMs: 60_000,
  });
}

describe("the file of a dry run", () => {
  test("holds the plan", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "rules");
    const { exit, output } = await dryRun(path);
    assert.deepEqual(exit, { kind: "exited", code: 0 }, output);
    assert.match(readFileSync(path, "utf8"), /ISTIO_INBOUND/);
  });

  test("may be a device or lead to one, which is still there afterwards", async () => {
    using folder = temporaryFolder();
    const device = join(folder.path, "null");
    try {
      execFileSync("mknod", ["-m", "666", device, "c", "1", "3"], { stdio: "pipe" });
    } catch {
      // Only root makes devices: the one of the system says the same, and cannot be replaced by others.
    }
    const path = lstatSync(device, { throwIfNoEntry: false }) === undefined ? "/dev/null" : device;
    const { exit, output } = await dryRun(path);
    assert.deepEqual(exit, { kind: "exited", code: 0 }, output);
    assert.ok(statSync(path).isCharacterDevice(), "the device has become a file");
  });
});
