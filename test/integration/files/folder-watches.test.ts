/** Notice of changes to files wherever they lead, and of what cannot be watched. */
import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { FolderWatches } from "../../../src/files/folder-watches.ts";
import { isNoticed, noticePlaces } from "../../../src/files/notice-places.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

/** Watches paths in a folder of its own. */
function watching(...names: string[]) {
  const folder = temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  const count = { changes: 0, refused: 0 };
  const watches = new FolderWatches(
    () => {
      count.changes += 1;
    },
    () => {
      count.refused += 1;
    },
  );
  return {
    at,
    count,
    watches,
    follow: () => {
      watches.follow(names.map(at));
    },
    /** What is done gives notice. */
    noticed: async (what: string, act: () => void) => {
      watches.follow(names.map(at));
      const before = count.changes;
      act();
      await eventually(what, () => assert.ok(count.changes > before), { withinMs: 5_000 });
    },
    [Symbol.dispose]: () => {
      watches[Symbol.dispose]();
      folder[Symbol.dispose]();
    },
  };
}

describe("notice of changes", () => {
  test("what cannot be watched is told of, and the rest is watched", async () => {
    using files = watching("loop", "file");
    symlinkSync("loop", files.at("loop"));
    files.follow();
    assert.deepEqual([files.count.refused, files.watches.isComplete], [1, false]);
    await files.noticed("a new file", () => {
      writeFileSync(files.at("file"), "x");
    });
  });

  test("comes from a file that is not there yet, with or without its folder", async () => {
    using files = watching("a/b/file");
    files.follow();
    assert.equal(files.watches.isComplete, true);
    await files.noticed("the first folder", () => {
      mkdirSync(files.at("a"));
    });
    await files.noticed("the second", () => {
      mkdirSync(files.at("a/b"));
    });
    await files.noticed("the file", () => {
      writeFileSync(files.at("a/b/file"), "x");
    });
    await files.noticed("its end", () => {
      rmSync(files.at("a/b/file"));
    });
  });

  test("comes from whatever a link leads to, and from each link on the way", async () => {
    using files = watching("link");
    for (const name of ["one", "two", "way"]) mkdirSync(files.at(name));
    for (const name of ["one", "two"]) writeFileSync(files.at(`${name}/file`), name);
    symlinkSync("../one", files.at("way/middle"));
    symlinkSync("way/middle/file", files.at("link"));
    await files.noticed("a change of the file", () => {
      writeFileSync(files.at("one/file"), "changed");
    });
    await files.noticed("another way", () => {
      symlinkSync("../two", files.at("way/new"));
      renameSync(files.at("way/new"), files.at("way/middle"));
    });
    assert.equal(readlinkSync(files.at("way/middle")), "../two");
    await files.noticed("a change of the other file", () => {
      writeFileSync(files.at("two/file"), "changed");
    });
  });

  test("comes from a file whose folder was moved away and made anew", async () => {
    using files = watching("folder/file");
    mkdirSync(files.at("folder"));
    writeFileSync(files.at("folder/file"), "x");
    await files.noticed("the move", () => {
      renameSync(files.at("folder"), files.at("old"));
    });
    mkdirSync(files.at("folder"));
    await files.noticed("the file", () => {
      writeFileSync(files.at("folder/file"), "y");
    });
  });

  test("comes from a folder far above that another takes the place of, and from what is in that one", async () => {
    using files = watching("now/deep/deeper/file");
    for (const name of ["now", "next"]) {
      mkdirSync(files.at(`${name}/deep/deeper`), { recursive: true });
      writeFileSync(files.at(`${name}/deep/deeper/file`), name);
    }
    await files.noticed("the other folder", () => {
      renameSync(files.at("now"), files.at("old"));
      renameSync(files.at("next"), files.at("now"));
    });
    await files.noticed("a change there", () => {
      writeFileSync(files.at("now/deep/deeper/file"), "changed");
    });
    assert.deepEqual([files.count.refused, files.watches.isComplete], [0, true]);
  });
});

test("a folder in which others write all the time is left, and the rest is watched", async () => {
  using files = watching("log/certs/file");
  mkdirSync(files.at("log/certs"), { recursive: true });
  writeFileSync(files.at("log/certs/file"), "x");
  files.follow();
  await eventually(
    "the folder is left",
    () => {
      // Two alike that follow each other are one notice.
      for (let count = 0; count < 500; count += 1)
        for (const name of ["one", "two"]) appendFileSync(files.at(`log/${name}`), "line\n");
      assert.equal(files.watches.isComplete, false);
    },
    { withinMs: 20_000 },
  );
  assert.deepEqual([files.count.changes, files.count.refused], [1, 0]);
  await files.noticed("a change of the file", () => {
    writeFileSync(files.at("log/certs/file"), "changed");
  });
  assert.equal(files.watches.isComplete, false);
});

test("the way to a file has a place for each part of it, and one for what is missing", () => {
  using folder = temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  mkdirSync(at("data"));
  writeFileSync(at("data/file"), "");
  symlinkSync("data", at("now"));
  symlinkSync("now/file", at("file"));
  const own = (places: readonly { readonly folder: string; readonly name: string }[]) =>
    places.filter(({ folder: path }) => path.startsWith(folder.path));
  const found = noticePlaces(at("file"));
  assert.deepEqual(own(found.places), [
    { folder: folder.path, name: "file" },
    { folder: folder.path, name: "now" },
    { folder: folder.path, name: "data" },
    { folder: at("data"), name: "file" },
  ]);
  assert.equal(found.file, at("data/file"));
  const missing = noticePlaces(at("data/a/b"));
  assert.deepEqual(own(missing.places), [
    { folder: folder.path, name: "data" },
    { folder: at("data"), name: "a" },
  ]);
  assert.equal(missing.file, undefined);
});

test("a folder that everybody may write in is no place on the way, unless a link or the end of the way is there", () => {
  using folder = temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  mkdirSync(at("data"));
  writeFileSync(at("data/file"), "");
  symlinkSync("data", at("link"));
  chmodSync(folder.path, 0o1777);
  const here = (path: string): readonly string[] =>
    noticePlaces(at(path)).places.flatMap((place) => (place.folder === folder.path ? [place.name] : []));
  assert.deepEqual(here("data/file"), []);
  assert.deepEqual(here("link/file"), ["link"]);
  assert.deepEqual(here("missing/file"), ["missing"]);
});

test("procfs gives no notice of its changes", () => {
  assert.equal(isNoticed("/proc/self"), false);
});
