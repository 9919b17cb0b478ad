import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, lstatSync, openSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { writeGivenPath } from "../../../src/files/given-path.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

describe("writeGivenPath()", () => {
  test("replaces a file, with a mode for its owner alone", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "token");
    writeFileSync(path, "before", { mode: 0o644 });
    writeGivenPath(path, "after");
    assert.equal(readFileSync(path, "utf8"), "after");
    assert.equal(lstatSync(path).mode & 0o777, 0o600);
  });

  test("writes into what is no file, also behind a link, and leaves it there", () => {
    using folder = temporaryFolder();
    const pipe = join(folder.path, "pipe");
    const link = join(folder.path, "link");
    execFileSync("mkfifo", [pipe]);
    symlinkSync(pipe, link);
    const reader = openSync(pipe, "r+");
    try {
      for (const path of [pipe, link]) writeGivenPath(path, "text");
    } finally {
      closeSync(reader);
    }
    assert.ok(lstatSync(pipe).isFIFO());
    assert.ok(lstatSync(link).isSymbolicLink());
  });

  test("writes into a link of the system that leads to a file", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "redirected");
    const file = openSync(path, "w");
    try {
      writeGivenPath(`/proc/self/fd/${file}`, "text");
    } finally {
      closeSync(file);
    }
    assert.equal(readFileSync(path, "utf8"), "text");
  });
});
