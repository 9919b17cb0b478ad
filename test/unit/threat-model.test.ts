import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

const src = join(import.meta.dirname, "../../src");

/** The rows of the threat model, as [first cell, last cell]. */
function rows(): readonly (readonly [what: string, proof: string])[] {
  const page = readFileSync(join(src, "README.md"), "utf8");
  const model = page.slice(page.indexOf("## Threat model"));
  return model
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .filter((cells) => !cells.includes("as tested") && !cells.some((cell) => /, as tested$|^-+$/.test(cell)))
    .map((cells) => [cells[1] ?? "", cells.at(-2) ?? ""] as const);
}

describe("each row of the threat model names a test that there is", () => {
  test("and there are rows", () => {
    assert.ok(rows().length > 20);
  });
  for (const [what, proof] of rows()) {
    test(what, () => {
      const [, path = "", name = ""] = /^\[[^\]]+\]\(([^)]+)\): "(.+)"$/.exec(proof) ?? [];
      const file = join(src, path);
      assert.ok(path !== "" && existsSync(file), `no test file: ${proof}`);
      assert.ok(readFileSync(file, "utf8").includes(name), `${path} has no test ${name}`);
    });
  }
});
