import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { manPages } from "../../../src/build/release/man-pages.ts";
import { commandGroups, commands } from "../../../src/cli/commands.ts";
import { programOf } from "../../../src/cli/program.ts";
import { outriderctl } from "../../../src/ctl/program.ts";
import { hasProgram } from "../../support/installed.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

describe("the manual pages", () => {
  const programs = [programOf(commands, commandGroups), outriderctl];
  const pages = new Map(
    programs.flatMap((program) => [...manPages(program, new Date("2026-11-30T00:00:00Z"))]),
  );

  test("mandoc has nothing against any of them, and shows their flags", (t) => {
    if (!hasProgram(t, "mandoc")) return;
    using folder = temporaryFolder();
    for (const [name, text] of pages) writeFileSync(join(folder.path, name), text);
    const run = (...args: readonly string[]): string =>
      spawnSync("mandoc", [...args], { cwd: folder.path, encoding: "utf8" }).stdout;
    const complaints = run("-T", "lint", ...pages.keys())
      .split("\n")
      // These pages are not installed here; the next test looks after them.
      .filter((line) => line !== "" && !line.includes("referenced manual not found"));
    assert.deepEqual(complaints, []);
    const shown = run("-T", "markdown", "outrider-proxy.1").replaceAll(/[\s>]+/g, " ");
    assert.match(
      shown,
      /swapMode\*\* \*text\* How a new .* Default: auto\. One of [a-z, ]*overlap[a-z, ]*\./,
    );
    assert.match(shown, / 64 the configuration cannot be used /);
  });

  test("lead to one another", () => {
    assert.equal(pages.size, commands.length + outriderctl.commands.length + 2);
    for (const [name, text] of pages) {
      for (const [, page = ""] of text.matchAll(/Xr (\S+) 1$/gm))
        assert.ok(pages.has(`${page}.1`), `${name}: ${page}`);
    }
  });
});
