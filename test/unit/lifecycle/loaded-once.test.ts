import assert from "node:assert/strict";
import { test } from "node:test";
import { loadedOnce } from "../../../src/lifecycle/loaded-once.ts";

test("loadedOnce() loads once for all, and again after a failure", async () => {
  const outcomes = [() => Promise.reject(new Error("EMFILE")), () => Promise.resolve("loaded")];
  let loads = 0;
  const load = loadedOnce(() => {
    loads += 1;
    return outcomes.shift()?.() ?? Promise.resolve("loaded twice");
  });
  const early = await Promise.allSettled([load(), load()]);
  assert.deepEqual(
    early.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  assert.equal(loads, 1);
  assert.deepEqual(await Promise.all([load(), load()]), ["loaded", "loaded"]);
  assert.equal(await load(), "loaded");
  assert.equal(loads, 2);
});
