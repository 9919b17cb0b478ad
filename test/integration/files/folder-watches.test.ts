/** Notice of changes in folders, and of folders that cannot be watched. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FolderWatches } from "../../../src/files/folder-watches.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

test("a folder that cannot be watched is told of, and the others are watched", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "file");
  let changes = 0;
  let refused = 0;
  using watches = new FolderWatches(
    () => {
      changes += 1;
    },
    () => {
      refused += 1;
    },
  );
  watches.follow([join(folder.path, "gone/file"), path]);
  assert.equal(refused, 1);
  writeFileSync(path, "x");
  await eventually("a notice", () => assert.ok(changes > 0), { withinMs: 5_000 });
  assert.equal(refused, 1);
});
