import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { giveBack } from "../../../src/process/give-back.ts";

const mib = 2 ** 20;

/** What is done with a heap that a collection makes so much smaller. */
function doneWith(sizes: { readonly before: number; readonly after: number }): readonly string[] {
  const done: string[] = [];
  let size = sizes.before;
  giveBack({
    size: () => size,
    collect: () => {
      done.push("collect");
      size = sizes.after;
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
