/** Every target, for a minute of the clock, each in a process of its own; `npm run fuzz` goes on for longer. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import type { FuzzResult } from "./run-target.ts";
import { targetNames } from "./target-names.ts";

const runFile = promisify(execFile);

/** Processes at a time: most of them wait for a socket now and then. */
const concurrency = 8;

/** A number that is another each day, so that each day tries other inputs; it is told with the result. */
const seed = Math.floor(Date.now() / 86_400_000);

describe("whatever comes in", { concurrency }, () => {
  for (const target of targetNames) {
    test(target, async (t) => {
      const { stdout } = await runFile(
        process.execPath,
        [join(import.meta.dirname, "main.ts"), `--target=${target}`, "--seconds=60", `--seed=${seed}`],
        { maxBuffer: 2 ** 24 },
      );
      const result = JSON.parse(stdout) as FuzzResult;
      t.diagnostic(`${result.made} inputs of seed ${seed}`);
      assert.ok(result.made > 0);
    });
  }
});
