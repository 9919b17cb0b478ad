import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const program = join(import.meta.dirname, "../../../src/build/run-tests.ts");

/** Run test files with these contents as `npm test` does, which is none of a test's that runs by itself. */
async function runTests(...contents: readonly string[]): Promise<{ code: number; output: string }> {
  using folder = temporaryFolder();
  const paths = contents.map((content, index) => {
    const path = join(folder.path, `${index}.test.ts`);
    writeFileSync(path, `import { test } from "node:test";\n${content}`);
    return path;
  });
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  return await new Promise((resolve) => {
    execFile(process.execPath, [program, ...paths], { env, maxBuffer: 2 ** 26 }, (error, stdout) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout });
    });
  });
}

describe("the run of all tests", () => {
  test("counts every result of a file that leaves something open, though they wait for a slow reader", async () => {
    const { code, output } = await runTests(`
      import { spawn } from "node:child_process";
      import { writeSync } from "node:fs";
      setInterval(() => undefined, 1_000);
      test("the way to its reader is full", () => {
        spawn("sh", ["-c", \`sleep 1; kill -CONT \${process.ppid}\`], { stdio: "ignore" });
        process.kill(process.ppid, "SIGSTOP");
        for (let count = 0; count < 64; count += 1) {
          try { writeSync(1, "x".repeat(8_192) + "\\n"); }
          catch (error) { if (error.code === "EAGAIN") break; throw error; }
        }
      });
      for (let count = 0; count < 9; count += 1) test(\`result \${count}\`, () => undefined);`);
    assert.match(output, /\n10 passed, 0 failed, 0 skipped\n$/);
    assert.equal(code, 0);
  });

  test("has failed when a file's process ends before its results are told, even with code 0", async () => {
    const { code, output } = await runTests(
      `test("is told", () => undefined);
       test("ends the process", () => { process.execve("/bin/true", ["true"], {}); });`,
      `test("is told too", () => undefined);`,
    );
    assert.match(output, /0\.test\.ts: its process ended before it had told all results/);
    assert.match(
      output,
      /\nfailed:\n\S+0\.test\.ts: its process ended before .*\n\n2 passed, 1 failed, 0 skipped\n$/,
    );
    assert.equal(code, 1);
  });

  test("has failed when a suite has, and says how long files and folders took", async () => {
    const { code, output } = await runTests(`
      import { describe } from "node:test";
      describe("broken", () => { test("inside", () => undefined); throw new Error("no suite"); });`);
    assert.match(output, /folders \(s\):\n +\d+\.\d {2}\S+\n/);
    assert.match(output, /slowest files \(s\):\n +\d+\.\d {2}\S+0\.test\.ts\n/);
    assert.match(output, /\nfailed:\n\S+0\.test\.ts:4: inside\n.*\n\n\S+:4: broken\n {2}Error: no suite\n/);
    assert.equal(code, 1);
  });

  test("says at its end once more which tests failed, where and why", async () => {
    const { output } = await runTests(`
      import { describe } from "node:test";
      describe("a suite", () => {
        test("well", () => undefined);
        test("ill", () => { throw new Error("too\\nbad"); });
      });`);
    assert.match(
      output,
      /\nfailed:\n\S+0\.test\.ts:6: ill\n {2}Error: too\n {2}bad\n(?: {6}at .*\n)+\n1 passed, 1 failed/,
    );
  });
});

describe("a run in whose own process tests run", () => {
  const guard = join(import.meta.dirname, "../../../src/build/early-exit.ts");

  async function run(script: string): Promise<unknown> {
    const text = `const { failOnEarlyExit } = await import(${JSON.stringify(guard)}); ${script}`;
    const args = ["--input-type=module", "--eval", text];
    return await new Promise((resolve) => {
      execFile(process.execPath, args, (error) => {
        resolve(error === null ? 0 : error.code);
      });
    });
  }

  test("has failed when one of them ends it, with whatever code", async () => {
    assert.equal(await run("failOnEarlyExit(); process.exit(0);"), 1);
    assert.equal(await run("failOnEarlyExit(); process.exit(3);"), 3);
    assert.equal(await run("const isOver = failOnEarlyExit(); isOver();"), 0);
  });
});
