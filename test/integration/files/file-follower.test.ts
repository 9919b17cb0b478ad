import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { followChanges } from "../../../src/files/file-changes.ts";
import { FileFollower, type FileTexts } from "../../../src/files/file-follower.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

/** On a machine that has other work. */
const withinMs = 10_000;

/** Follows files in a folder of its own and keeps what it is told. */
function follow(names: string[]) {
  const folder = temporaryFolder();
  const told: FileTexts[] = [];
  const at = (name: string): string => join(folder.path, name);
  const follower = new FileFollower(
    () => names.map(at),
    (texts) => {
      told.push(texts);
    },
  );
  const stop = new AbortController();
  return {
    folder: folder.path,
    at,
    told,
    follower,
    begin: () => follower.run(stop.signal),
    /** Wait until the newest contents of `name` are these. */
    seen: (name: string, text: string) =>
      eventually(
        `${text} in ${name}`,
        () => {
          const content = told.at(-1)?.get(at(name));
          assert.equal(content?.kind === "read" ? content.text : "", text);
        },
        { withinMs },
      ),
    stop: () => {
      stop.abort();
    },
    [Symbol.dispose]: () => {
      stop.abort();
      folder[Symbol.dispose]();
    },
  };
}

describe("contents of files", () => {
  test("are told at first, after a change, and when a file goes", async () => {
    using files = follow(["a", "b"]);
    writeFileSync(files.at("a"), "one");
    const running = files.begin();
    await files.seen("a", "one");
    assert.equal(files.told[0]?.get(files.at("b"))?.kind, "unreadable");
    writeFileSync(files.at("b"), "two");
    await files.seen("b", "two");
    rmSync(files.at("a"));
    await eventually("the end of a", () => files.told.at(-1)?.get(files.at("a"))?.kind !== "read", {
      withinMs,
    });
    files.stop();
    await running;
  });

  test("are told after each swap of a Kubernetes volume", async () => {
    using files = follow(["cert"]);
    const swap = (name: string): void => {
      mkdirSync(files.at(name));
      writeFileSync(join(files.at(name), "cert"), name);
      symlinkSync(name, files.at("..data_tmp"));
      renameSync(files.at("..data_tmp"), files.at("..data"));
    };
    swap("..1");
    symlinkSync("..data/cert", files.at("cert"));
    void files.begin();
    await files.seen("cert", "..1");
    for (const name of ["..2", "..3"]) {
      swap(name);
      await files.seen("cert", name);
    }
  });

  test("are told when they changed where no watch is", async () => {
    using files = follow(["folder/link"]);
    using elsewhere = temporaryFolder();
    mkdirSync(files.at("folder"));
    writeFileSync(join(elsewhere.path, "target"), "one");
    symlinkSync(join(elsewhere.path, "target"), files.at("folder/link"));
    void files.begin();
    await files.seen("folder/link", "one");
    writeFileSync(join(elsewhere.path, "target"), "through the link");
    await files.seen("folder/link", "through the link");
    renameSync(files.at("folder"), files.at("old"));
    mkdirSync(files.at("folder"));
    writeFileSync(files.at("folder/link"), "in another folder");
    await files.seen("folder/link", "in another folder");
  });

  test("are told when stat shows no difference", async () => {
    using files = follow(["a"]);
    writeFileSync(files.at("a"), "one");
    const past = new Date(1_000_000_000_000);
    utimesSync(files.at("a"), past, past);
    void files.begin();
    await files.seen("a", "one");
    const { size, mtimeMs } = statSync(files.at("a"));
    writeFileSync(files.at("a"), "two");
    utimesSync(files.at("a"), past, past);
    assert.deepEqual([size, mtimeMs], [statSync(files.at("a")).size, statSync(files.at("a")).mtimeMs]);
    await files.seen("a", "two");
  });
});

describe("changes of files", () => {
  test("are told once for each burst, not at first, and not for other files that are asked for", async () => {
    using folder = temporaryFolder();
    const [first, second] = [join(folder.path, "first"), join(folder.path, "second")];
    writeFileSync(first, "one");
    writeFileSync(second, "one");
    const stop = new AbortController();
    let paths = [first];
    let calls = 0;
    const running = followChanges(
      () => paths,
      () => {
        calls += 1;
        paths = [first, second];
      },
      stop.signal,
      50,
    );
    for (const text of ["two", "three", "four"]) writeFileSync(first, text);
    await eventually("the change", () => assert.equal(calls, 1), { withinMs });
    writeFileSync(second, "two");
    await eventually("the change of what was asked for later", () => assert.equal(calls, 2), { withinMs });
    stop.abort();
    await running;
    assert.equal(calls, 2);
  });
});
