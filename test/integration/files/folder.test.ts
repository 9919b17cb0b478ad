import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { makeFolder } from "../../../src/files/folder.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

describe("makeFolder()", () => {
  test("makes what is missing with the mode, and leaves what is there", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "a/b/c");
    makeFolder(path, 0o700);
    makeFolder(path, 0o700);
    assert.equal(statSync(path).mode & 0o777, 0o700);
    assert.equal(statSync(join(folder.path, "a")).mode & 0o777, 0o700);
  });

  test("fails below a file", () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, "file"), "");
    assert.throws(() => makeFolder(join(folder.path, "file/a"), 0o700), { code: "ENOTDIR" });
  });

  test("fails, instead of trying for ever, where no folder can be made", () => {
    assert.throws(() => makeFolder("/proc/outrider/a", 0o700), { code: "ENOENT" });
  });
});
