import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { readOwnText, readRegularFile, readRegularText } from "../../../src/files/read-regular-file.ts";
import { errorCode } from "../../../src/lifecycle/error-message.ts";
import { hasRoot } from "../../support/privilege.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

describe("readRegularFile()", () => {
  test("reads a file of any size up to the bound, through links, and what tells no size", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "file");
    for (const size of [0, 1, 4_095, 4_096, 4_097, 100_000]) {
      const content = Buffer.alloc(size, "abc");
      writeFileSync(path, content);
      assert.deepEqual(readRegularFile(path, { maxBytes: Math.max(size, 1) }), content);
    }
    const link = join(folder.path, "link");
    symlinkSync(path, link);
    assert.equal(readRegularFile(link).length, 100_000);
    assert.match(readRegularText("/proc/self/status"), /^Name:/);
  });

  test("refuses at once what has no end, waits, or is no file, and names it", async () => {
    using folder = temporaryFolder();
    const at = (name: string): string => join(folder.path, name);
    execFileSync("mkfifo", [at("fifo")]);
    symlinkSync(at("fifo"), at("link"));
    mkdirSync(at("folder"));
    writeFileSync(at("large"), "");
    truncateSync(at("large"), 2 ** 40);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(at("socket"), resolve));
    const rows = [
      [at("fifo"), "NOT_REGULAR"],
      [at("link"), "NOT_REGULAR"],
      [at("folder"), "NOT_REGULAR"],
      [at("socket"), "ENXIO"],
      ["/dev/zero", "NOT_REGULAR"],
      [at("large"), "TOO_LARGE"],
      // procfs tells no size: the bound holds while reading.
      ["/proc/self/maps", "TOO_LARGE"],
      [at("missing"), "ENOENT"],
    ] as const;
    for (const [path, code] of rows) {
      assert.throws(
        () => readRegularFile(path, { maxBytes: 1_000 }),
        (error) => {
          assert.equal(errorCode(error), code, path);
          assert.ok(error instanceof Error && error.message.includes(path), String(error));
          return true;
        },
      );
    }
    server.close();
  });

  test("of what is its own takes no link and nothing that others could have written", (t) => {
    if (!hasRoot(t)) return;
    using folder = temporaryFolder();
    const path = join(folder.path, "state.json");
    writeFileSync(path, "kept", { mode: 0o600 });
    assert.equal(readOwnText(path), "kept");
    symlinkSync(path, join(folder.path, "link"));
    assert.throws(() => readOwnText(join(folder.path, "link")), { code: "ELOOP" });
    chmodSync(path, 0o666);
    assert.throws(() => readOwnText(path), /state\.json is not used: everybody may write it/);
    chmodSync(path, 0o600);
    chownSync(path, 12_345, 12_345);
    assert.throws(() => readOwnText(path), { code: "NOT_OURS" });
  });
});
