import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryRelease } from "../../../src/process/memory-release.ts";

test("memory is given back once after a burst, and not for little", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let collections = 0;
  using memory = new MemoryRelease(() => {
    collections += 1;
  });
  memory.passed(1_000_000);
  context.mock.timers.tick(10_000);
  assert.equal(collections, 0);
  for (let message = 0; message < 50; message += 1) memory.passed(1_000_000);
  assert.equal(collections, 0);
  context.mock.timers.tick(10_000);
  assert.equal(collections, 1);
  memory.passed(1_000_000);
  context.mock.timers.tick(10_000);
  assert.equal(collections, 1);
});
