import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { referencePages, withTables } from "../../../src/build/reference-tables.ts";
import { commands } from "../../../src/cli/commands.ts";
import { commands as operators } from "../../../src/ctl/commands.ts";

const root = join(import.meta.dirname, "../../..");

describe("generated tables are what the code says (npm run docs rewrites them)", () => {
  for (const page of referencePages(commands, operators)) {
    test(page.path, () => {
      const text = readFileSync(join(root, page.path), "utf8");
      assert.equal(text, withTables(text, page));
    });
  }

  test("a page without a marker is named", () => {
    assert.throws(
      () => withTables("# cli\n", { path: "src/cli/README.md", tables: { flags: "" } }),
      /^Error: src\/cli\/README\.md lacks <!-- begin flags -->/,
    );
  });
});
