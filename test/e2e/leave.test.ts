/** Nothing that is left over keeps the process from its end. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { mainPath, runOutrider } from "../support/outrider.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Parts that do not let go, by the module that is loaded before the program. */
const leftovers: Readonly<Record<string, (folder: string) => string>> = {
  "a timer": () => "setInterval(() => undefined, 1000);",
  "a file system that does not answer": (folder) => {
    execFileSync("mkfifo", [join(folder, "fifo")]);
    return `import { open } from "node:fs"; open(${JSON.stringify(join(folder, "fifo"))}, "r", () => undefined);`;
  },
};

describe("what is left over does not hold up the end", () => {
  for (const [name, moduleOf] of Object.entries(leftovers)) {
    test(name, async () => {
      using folder = temporaryFolder();
      const hold = join(folder.path, "hold.mjs");
      writeFileSync(hold, moduleOf(folder.path));
      const { exit, output } = await runOutrider({
        program: { file: process.execPath, args: ["--import", hold, mainPath] },
        args: ["request", "--no-such-flag"],
        withinMs: 20_000,
      });
      assert.deepEqual(exit, { kind: "exited", code: 64 }, output);
    });
  }
});
