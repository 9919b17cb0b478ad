import assert from "node:assert/strict";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { destinationOf, writeTo, type Written } from "../../../src/cli/diagnose/write.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const files = [{ name: "MANIFEST", content: Buffer.from("all") }];

function write(path: string): Promise<Written> {
  return writeTo(destinationOf(path, "d", "."), "d", files, new Date(0));
}

describe("the archive of a diagnosis", () => {
  for (const [what, path, words] of [
    ["a folder that is not there", "none/out.tar.gz", /ENOENT.*name a file in a folder that is there/],
    ["a file in the place of a folder", "file/out.tar.gz", /ENOTDIR.*name a file in a folder that is there/],
    ["a folder in its own place", "folder", /(?:EISDIR|ENOTEMPTY).*name a(?:nother)? file/],
  ] as const) {
    test(`for ${what}: one line with what to do, and nothing is left`, async () => {
      using folder = temporaryFolder();
      writeFileSync(join(folder.path, "file"), "");
      const target = path === "folder" ? folder.path : join(folder.path, path);
      const written = await write(target);
      assert.equal(written.kind, "failed");
      assert.match(written.kind === "failed" ? written.words : "", words);
      assert.doesNotMatch(written.kind === "failed" ? written.words : "", /\n/);
      assert.deepEqual(readdirSync(folder.path), ["file"]);
    });
  }

  test("on a full disk says so, and leaves the device what it is", async () => {
    const written = await write("/dev/full");
    assert.match(written.kind === "failed" ? written.words : "", /ENOSPC.*the disk is full/);
    assert.ok(statSync("/dev/full").isCharacterDevice());
  });

  test("goes to the next folder where the first does not take it", async () => {
    using folder = temporaryFolder();
    const last = join(folder.path, "d.tar.gz");
    const destination = { paths: ["/dev/full", last], isNamed: false };
    assert.deepEqual(await writeTo(destination, "d", files, new Date(0)), { kind: "written", path: last });
    assert.equal(statSync(last).mode & 0o777, 0o600);
  });
});
