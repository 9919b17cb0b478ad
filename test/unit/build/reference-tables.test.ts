import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { withReferenceTables } from "../../../src/build/reference-tables.ts";
import { commands } from "../../../src/cli/commands.ts";

// Alignment is the formatter's; the words are the generator's.
function words(text: string): string {
  return text.replaceAll(/ +/g, " ").replaceAll(/-{3,}/g, "---");
}

test("the README's tables are what the code says (npm run docs rewrites them)", () => {
  const readme = readFileSync(join(import.meta.dirname, "../../../README.md"), "utf8");
  assert.equal(words(readme), words(withReferenceTables(readme, commands)));
});
