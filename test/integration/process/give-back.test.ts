import assert from "node:assert/strict";
import { test } from "node:test";
import { giveBack } from "../../../src/process/give-back.ts";

const mib = 2 ** 20;

/** Some 100 MiB of small objects, which are garbage once it has returned. */
function makeGarbage(): number {
  return Array.from({ length: 1_000_000 }, (_, index) => ({ index, text: `object ${index}` })).length;
}

test("the kernel gets back what small objects have taken", () => {
  makeGarbage();
  const before = process.memoryUsage().rss;
  giveBack()();
  const given = before - process.memoryUsage().rss;
  assert.ok(given > 30 * mib, `${given / mib} MiB of ${before / mib}`);
});
