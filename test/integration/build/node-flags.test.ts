import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { flagWords, nodeFlags, restingFlags } from "../../../src/build/release/node-flags.ts";

/** What binds code caches to V8 and its flags, after each of `words` has been set. */
function cacheTags(args: readonly string[], words: readonly string[]): readonly number[] {
  const script = `
    const v8 = require("node:v8");
    const tag = (word) => { v8.setFlagsFromString(word); return v8.cachedDataVersionTag(); };
    console.log(JSON.stringify([v8.cachedDataVersionTag(), ...${JSON.stringify(words)}.map(tag)]));`;
  return JSON.parse(
    execFileSync(process.execPath, [...args, "--eval", script], { encoding: "utf8" }),
  ) as number[];
}

describe("the release's flags of V8", () => {
  test("keep what has not run yet until the program has started", () => {
    assert.equal(flagWords("starting")[0], flagWords("usual")[0]);
    assert.deepEqual(flagWords("starting").slice(1), flagWords("resting").slice(1));
    assert.equal(flagWords("loaded")[0], flagWords("resting")[0]);
    assert.deepEqual(flagWords("loaded").slice(1), flagWords("usual").slice(1));
  });

  test("on the command line leave the code cache of Node.js' own modules valid", () => {
    const [bare] = cacheTags([], []);
    assert.deepEqual(cacheTags(nodeFlags, []), [bare]);
  });

  test("at rest are other ones than V8's, and what is named as V8's is", () => {
    const [bare, ...usual] = cacheTags([], flagWords("usual"));
    assert.deepEqual(
      usual,
      restingFlags.map(() => bare),
    );
    const tags = cacheTags([], [...flagWords("resting"), ...flagWords("usual")]);
    assert.notEqual(tags[restingFlags.length], bare);
    assert.equal(tags.at(-1), bare);
  });
});
