/** Log lines in files. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { LogTarget, LogTargetError } from "../../../src/telemetry/log-target.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

describe("a log's target", () => {
  test("every file gets each line once, behind what it holds", () => {
    using folder = temporaryFolder();
    const [a, b] = [join(folder.path, "a.log"), join(folder.path, "b.log")];
    new LogTarget([a]).write("before\n");
    new LogTarget([a, b, a]).write("line\n");
    assert.equal(readFileSync(a, "utf8"), "before\nline\n");
    assert.equal(readFileSync(b, "utf8"), "line\n");
  });

  test("a file that was moved away is opened again when that is asked for", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "agent.log");
    const target = new LogTarget([path]);
    target.write("first\n");
    renameSync(path, `${path}.1`);
    target.write("second\n");
    assert.deepEqual(target.reopen(), []);
    target.write("third\n");
    assert.equal(readFileSync(`${path}.1`, "utf8"), "first\nsecond\n");
    assert.equal(readFileSync(path, "utf8"), "third\n");
  });

  test("one that cannot be opened again stays in use", () => {
    using folder = temporaryFolder();
    using elsewhere = temporaryFolder();
    const path = join(folder.path, "logs", "agent.log");
    execFileSync("mkdir", [join(folder.path, "logs")]);
    const target = new LogTarget([path]);
    const moved = join(elsewhere.path, "logs");
    renameSync(join(folder.path, "logs"), moved);
    assert.match(target.reopen().join(), /logs\/agent\.log cannot be opened: ENOENT/);
    target.write("still here\n");
    assert.equal(readFileSync(join(moved, "agent.log"), "utf8"), "still here\n");
  });

  test("all that cannot be opened are named, a pipe without a reader among them", () => {
    using folder = temporaryFolder();
    const pipe = join(folder.path, "pipe");
    execFileSync("mkfifo", [pipe]);
    assert.throws(
      () => new LogTarget(["stdout", "/nowhere/x.log", pipe]),
      (error) => {
        assert.ok(error instanceof LogTargetError);
        assert.match(error.problems.join("\n"), /^\/nowhere\/x\.log .*ENOENT.*\n.*pipe .*ENXIO/);
        return true;
      },
    );
  });
});
