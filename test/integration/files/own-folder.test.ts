import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  FolderNotOursError,
  inOwnFolder,
  makeOwnFolder,
  removeFromOwnFolder,
} from "../../../src/files/own-folder.ts";
import { hasRoot } from "../../support/privilege.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

describe("makeOwnFolder()", () => {
  test("makes a private one, and leaves one that is there as it is", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "a/b");
    makeOwnFolder(path);
    assert.equal(statSync(path).mode & 0o7777, 0o700);
    chmodSync(path, 0o755);
    makeOwnFolder(path);
    assert.equal(statSync(path).mode & 0o7777, 0o755);
  });

  test("refuses what is a link, a file, another user's, or open to all, and changes nothing", (t) => {
    if (!hasRoot(t)) return;
    using folder = temporaryFolder();
    const at = (name: string): string => join(folder.path, name);
    mkdirSync(at("target"));
    symlinkSync(at("target"), at("link"));
    writeFileSync(at("file"), "");
    mkdirSync(at("theirs"), { mode: 0o700 });
    chownSync(at("theirs"), 12_345, 12_345);
    mkdirSync(at("open"));
    chmodSync(at("open"), 0o777);
    for (const name of ["link", "file", "theirs", "open"]) {
      assert.throws(() => {
        makeOwnFolder(at(name));
      }, FolderNotOursError);
    }
    assert.equal(statSync(at("open")).mode & 0o7777, 0o777);
  });
});

describe("work in a folder of ours", () => {
  test("stays there when the name becomes a link meanwhile", () => {
    using folder = temporaryFolder();
    const at = (name: string): string => join(folder.path, name);
    for (const name of ["ours/1", "elsewhere/1"]) mkdirSync(at(name), { recursive: true });
    inOwnFolder(at("ours"), (anchored) => {
      renameSync(at("ours"), at("moved"));
      symlinkSync(at("elsewhere"), at("ours"));
      writeFileSync(join(anchored, "1/file"), "");
    });
    assert.deepEqual(readdirSync(at("elsewhere/1")), []);
    assert.deepEqual(readdirSync(at("moved/1")), ["file"]);
  });

  test("removes links and not what they lead to, and nothing through a link at its own name", () => {
    using folder = temporaryFolder();
    const at = (name: string): string => join(folder.path, name);
    for (const name of ["ours/1", "elsewhere/1"]) mkdirSync(at(name), { recursive: true });
    symlinkSync(at("elsewhere"), at("ours/2"));
    symlinkSync(at("elsewhere"), at("ours/1/link"));
    removeFromOwnFolder(at("ours"), ["1", "2", "missing"]);
    assert.deepEqual(readdirSync(at("ours")), []);
    symlinkSync(at("elsewhere"), at("link"));
    assert.throws(() => {
      removeFromOwnFolder(at("link"), ["1"]);
    }, FolderNotOursError);
    assert.ok(existsSync(at("elsewhere/1")));
    removeFromOwnFolder(at("missing"), ["1"]);
  });
});
