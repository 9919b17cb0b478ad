import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { writeFileAtomic, writeFilesAtomic } from "../../../src/files/atomic-file.ts";
import { hasRoot } from "../../support/privilege.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const someoneElse = 12_345;

describe("writeFileAtomic()", () => {
  test("writes into nothing that another user has laid at the name or could foresee", (t) => {
    if (!hasRoot(t)) return;
    using folder = temporaryFolder();
    const at = (name: string): string => join(folder.path, name);
    writeFileSync(at("victim"), "untouched");
    for (const lay of [
      (path: string) => {
        writeFileSync(path, "theirs");
        chmodSync(path, 0o666);
        chownSync(path, someoneElse, someoneElse);
      },
      (path: string) => {
        symlinkSync(at("victim"), path);
      },
    ]) {
      for (const name of ["key.pem", `key.pem.${process.pid}.tmp`, "key.pem.tmp"]) lay(at(name));
      writeFileAtomic(at("key.pem"), "secret", 0o640);
      const { mode, uid } = lstatSync(at("key.pem"));
      assert.deepEqual([mode, uid], [0o100640, process.geteuid?.()]);
      assert.equal(readFileSync(at("key.pem"), "utf8"), "secret");
      for (const name of readdirSync(folder.path)) {
        if (name !== "key.pem") assert.doesNotMatch(readFileSync(at(name), "utf8"), /secret/);
      }
      assert.equal(readFileSync(at("victim"), "utf8"), "untouched");
      clear(folder.path, "victim");
    }
  });

  test("has the mode that was asked for whatever the umask, durable or not", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "file");
    const previous = process.umask(0o077);
    try {
      for (const durable of [false, true]) {
        writeFileAtomic(path, "text", { mode: 0o644, durable });
        assert.equal(statSync(path).mode & 0o7777, 0o644);
      }
    } finally {
      process.umask(previous);
    }
  });

  test("replaces none of several files when one cannot be written, and leaves nothing behind", () => {
    using folder = temporaryFolder();
    const at = (name: string): string => join(folder.path, name);
    writeFileSync(at("key.pem"), "old");
    assert.throws(() => {
      writeFilesAtomic([
        { path: at("key.pem"), content: "new" },
        { path: at("missing/chain.pem"), content: "new" },
      ]);
    }, /ENOENT/);
    assert.deepEqual(readdirSync(folder.path), ["key.pem"]);
    assert.equal(readFileSync(at("key.pem"), "utf8"), "old");
  });

  test("removes what a killed writer left a while ago, and nothing else", () => {
    using folder = temporaryFolder();
    const at = (name: string): string => join(folder.path, name);
    const old = new Date(Date.now() - 3_600_000);
    const names = [".f.0123456789abcdef.tmp", ".f.txt.tmp", ".g.0123456789abcdef.tmp"];
    for (const name of names) {
      writeFileSync(at(name), "");
      utimesSync(at(name), old, old);
    }
    writeFileSync(at(".f.fedcba9876543210.tmp"), "somebody is at work");
    writeFileAtomic(at("f"), "text");
    assert.deepEqual(readdirSync(folder.path).toSorted(), [
      ".f.fedcba9876543210.tmp",
      ".f.txt.tmp",
      ".g.0123456789abcdef.tmp",
      "f",
    ]);
  });
});

function clear(folder: string, kept: string): void {
  for (const name of readdirSync(folder)) if (name !== kept) rmSync(join(folder, name));
}
