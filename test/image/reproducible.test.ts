/** The release that `npm run image` or `npm run build` has left in dist/, and another one. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { buildRelease } from "../../src/build/release/release.ts";
import { sourceDate } from "../../src/build/source-date.ts";
import { testEnvoy } from "../support/envoy.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const root = join(import.meta.dirname, "../..");

/** A hash of each file by its path. */
function hashesOf(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [relative(folder, path), createHash("sha256").update(readFileSync(path)).digest("hex")];
      }),
  );
}

test("a build elsewhere gives the same release, code caches included", async () => {
  // `npm run build` writes it when the release is there.
  const { "package.json": _, ...built } = hashesOf(join(root, "dist"));
  using folder = temporaryFolder();
  const again = join(folder.path, "again");
  await buildRelease({ root, folder: again, envoyBinary: await testEnvoy(), sourceDate: sourceDate(root) });
  assert.deepEqual(hashesOf(again), built);
});
