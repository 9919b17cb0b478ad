import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDurationMs } from "../../../src/schema/duration.ts";

for (const [text, expected] of [
  ["5s", 5_000],
  ["1h30m", 5_400_000],
  ["100ms", 100],
  ["1.5s", 1_500],
  ["0", 0],
  ["-2s", -2_000],
  ["5", undefined],
  ["s", undefined],
  ["5 s", undefined],
  ["", undefined],
] as const) {
  test(`the duration ${JSON.stringify(text)} is ${expected ?? "refused"}`, () => {
    assert.equal(parseDurationMs(text), expected);
  });
}
