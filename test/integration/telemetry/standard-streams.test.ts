/** Whoever reads the log, or does not, holds nobody up. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { describe, test } from "node:test";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const program = join(import.meta.dirname, "../../support/log-writer-main.ts");

/** More than a pipe, a socket and the writer's own bound hold. */
const many = 20_000;

async function lineOf(
  child: ChildProcess,
  stream: Readable | null,
  pattern: RegExp,
): Promise<RegExpExecArray> {
  assert.ok(stream !== null);
  let text = "";
  for (;;) {
    const match = pattern.exec(text);
    if (match !== null) return match;
    const [chunk] = (await Promise.race([once(stream, "data"), once(child, "close")])) as [unknown];
    if (!Buffer.isBuffer(chunk)) throw new Error(`it ended without ${String(pattern)}: ${text}`);
    text += chunk.toString();
  }
}

/** Every line whole, in order, each either there or counted. */
function checkLines(text: string, written: number, lost: number): void {
  const lines = text.trimEnd().split("\n");
  const numbers = lines.flatMap((line) => /^line (\d+) x{200}$/.exec(line)?.[1] ?? []).map(Number);
  const told = lines.flatMap((line) => /^lost (\d+)$/.exec(line)?.[1] ?? []).map(Number);
  assert.equal(numbers.length + told.length, lines.length, "a line is torn");
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  );
  assert.equal(numbers.length + lost, written);
  assert.equal(
    told.reduce((sum, count) => sum + count, 0),
    lost,
  );
}

describe("standard output that nobody reads", () => {
  // Node.js gives a child sockets for what it calls pipes.
  test(
    "as a socket holds nobody up; what it took comes whole, and what was lost is told",
    { timeout: 60_000 },
    async () => {
      const child = spawn(process.execPath, [program, String(many)], { stdio: "pipe" });
      await lineOf(child, child.stderr, /written/);
      let text = "";
      child.stdout.on("data", (chunk) => {
        text += String(chunk);
      });
      child.stdin.write("end\n");
      const [, isDone, lost] = await lineOf(child, child.stderr, /flushed (\w+) lost (\d+)/);
      await once(child, "close");
      assert.equal(isDone, "true");
      assert.ok(Number(lost) > 0);
      checkLines(text, many, Number(lost));
    },
  );

  test(
    "as a pipe holds nobody up; what it took comes whole, and what was lost is told",
    { timeout: 60_000 },
    async () => {
      const child = spawn(
        "sh",
        ["-c", `"$0" "$1" ${many} | { cat <&4 >/dev/null; cat; }`, process.execPath, program],
        {
          stdio: ["pipe", "pipe", "pipe", "ignore", "pipe"],
        },
      );
      await lineOf(child, child.stderr, /written/);
      let text = "";
      child.stdout?.on("data", (chunk) => {
        text += String(chunk);
      });
      // The reader begins.
      (child.stdio[4] as unknown as { end(): void }).end();
      child.stdin?.write("end\n");
      const [, isDone, lost] = await lineOf(child, child.stderr, /flushed (\w+) lost (\d+)/);
      await once(child, "close");
      assert.equal(isDone, "true");
      assert.ok(Number(lost) > 0);
      checkLines(text, many, Number(lost));
    },
  );

  test("as a terminal that is stopped holds nobody up", { timeout: 60_000 }, async () => {
    // script(1) gives it a terminal, whose other side is not read while this end of script's output is full.
    const child = spawn("script", ["-qefc", `"${process.execPath}" "${program}" ${many} 2>&3`, "/dev/null"], {
      stdio: ["pipe", "pipe", "inherit", "pipe"],
    });
    await lineOf(child, child.stdio[3] as Readable, /written/);
    child.kill("SIGKILL");
  });

  test("as a file takes every line, at once", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "log");
    const file = openSync(path, "w");
    const child = spawn(process.execPath, [program, "500"], { stdio: ["pipe", file, "pipe"] });
    closeSync(file);
    await lineOf(child, child.stderr, /written/);
    child.kill("SIGKILL");
    await once(child, "close");
    checkLines(readFileSync(path, "utf8"), 500, 0);
  });

  test("that is closed costs its lines only", async () => {
    const child = spawn("sh", ["-c", '"$0" "$1" 500 | true', process.execPath, program], {
      stdio: ["pipe", "ignore", "pipe"],
    });
    await lineOf(child, child.stderr, /written/);
    child.stdin?.write("end\n");
    const [, isDone, lost] = await lineOf(child, child.stderr, /flushed (\w+) lost (\d+)/);
    assert.equal(isDone, "true");
    assert.ok(Number(lost) > 400, lost);
    child.kill();
  });
});
