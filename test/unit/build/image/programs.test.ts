/** What is missing to make the image is said at once and in whole. */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { programsToMakeImage } from "../../../../src/build/image/local-parts.ts";
import { missingPrograms } from "../../../../src/build/image/programs.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

describe("missingPrograms()", () => {
  test("names every one that is missing, and Debian's packages of them", () => {
    assert.equal(
      missingPrograms(["mmdebstrap", "buildah", "ip"], "/nowhere:/neither", "npm run image"),
      "npm run image needs mmdebstrap, buildah, ip, not found on PATH. On Debian: apt-get install mmdebstrap buildah iproute2",
    );
  });

  test("says nothing of those that are there, and takes no file for one that cannot be executed", () => {
    using folder = temporaryFolder();
    for (const [name, mode] of [
      ["buildah", 0o755],
      ["umoci", 0o644],
    ] as const) {
      writeFileSync(join(folder.path, name), "");
      chmodSync(join(folder.path, name), mode);
    }
    assert.equal(missingPrograms(["buildah"], `/nowhere:${folder.path}`, "it"), undefined);
    assert.match(missingPrograms(["buildah", "umoci"], folder.path, "it") ?? "", /^it needs umoci, not/);
  });
});

describe("programsToMakeImage()", () => {
  test("a Debian that is kept, or another base, is not made", () => {
    using folder = temporaryFolder();
    const needed = (base?: string): readonly string[] =>
      programsToMakeImage({ cacheFolder: folder.path, base });
    assert.deepEqual(needed(), ["mmdebstrap", "buildah"]);
    assert.deepEqual(needed("debian:bookworm-slim"), ["buildah"]);
    writeFileSync(join(folder.path, "bookworm.tar"), "");
    assert.deepEqual(needed(), ["buildah"]);
  });
});
