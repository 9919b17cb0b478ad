import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { giveBack } from "../../../src/process/give-back.ts";

const mib = 2 ** 20;

/** What is done with a heap of so many bytes, of which a collection leaves so many in use. */
function doneWith(sizes: { readonly before: number; readonly after: number }): readonly string[] {
  const done: string[] = [];
  let used = sizes.before;
  giveBack({
    size: () => sizes.before,
    used: () => used,
    collect: () => {
      done.push("collect");
      used = sizes.after;
    },
    release: () => done.push("release"),
    trim: () => done.push("trim"),
  })();
  return done;
}

describe("giving memory back", () => {
  test("collects alone where that empties little", () => {
    assert.deepEqual(doneWith({ before: 60 * mib, after: 50 * mib }), ["collect"]);
    assert.deepEqual(doneWith({ before: 50 * mib, after: 52 * mib }), ["collect"]);
  });

  test("lets go of what was emptied where it is much", () => {
    assert.deepEqual(doneWith({ before: 100 * mib, after: 50 * mib }), ["collect", "release", "trim"]);
  });
});
