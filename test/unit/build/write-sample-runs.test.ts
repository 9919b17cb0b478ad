import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sampleRunsText } from "../../../src/build/write-sample-runs.ts";

test("the module of sample-runs.wat is the one that is committed", async () => {
  const path = join(import.meta.dirname, "../../../src/scrape/merge/sample-runs-module.ts");
  assert.equal(readFileSync(path, "utf8"), await sampleRunsText());
});
