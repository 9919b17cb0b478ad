/** Every target, for a minute of the clock, each in a process of its own; `npm run fuzz` goes on for longer. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import type { FuzzResult } from "./run-target.ts";
import { targetNames } from "./target-names.ts";

const runFile = promisify(execFile);

/** Processes at a time. They run beside all other tests, on what these leave of the processors: it is theirs for longer. */
const concurrency = 3;

/** Words before a command line that let all others go first. */
const politely = ["nice", "-n", "10"] as const;

/** A minute of the clock, and the start and the kept inputs on a machine that has other things to do, in milliseconds. */
const timeout = 600_000;

/** A number that is another each day, so that each day tries other inputs; it is told with the result. */
const seed = Math.floor(Date.now() / 86_400_000);

describe("whatever comes in", { concurrency, timeout: targetNames.length * timeout }, () => {
  for (const target of targetNames) {
    test(target, { timeout }, async (t) => {
      const [file, ...before] = politely;
      const program = [process.execPath, join(import.meta.dirname, "main.ts")];
      const { stdout } = await runFile(
        file,
        [...before, ...program, `--target=${target}`, "--seconds=60", `--seed=${seed}`],
        { maxBuffer: 2 ** 24 },
      );
      const result = JSON.parse(stdout) as FuzzResult;
      t.diagnostic(`${result.made} inputs of seed ${seed}`);
      assert.ok(result.made > 0);
    });
  }
});
