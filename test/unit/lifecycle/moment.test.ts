import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Moment, timeOf } from "../../../src/lifecycle/moment.ts";

const noon = Date.parse("2026-01-01T12:00:00.000Z");

/** @param setMs how far the wall clock was set ahead before it */
function moment(atMs: number, setMs = 0): Moment {
  return { at: new Date(noon + atMs + setMs), atMs };
}

describe("the time of a moment", () => {
  const then = moment(0);

  test("is the one that was noted, however long ago, and though clocks are kept", () => {
    for (const keptMs of [-2_000, 0, 700, 2_000])
      assert.equal(timeOf(then, moment(86_400_000, keptMs)).getTime(), noon);
  });

  for (const setMs of [-3_600_000, -2_001, 2_001, 3_600_000])
    test(`is as long ago as it is when the wall clock was set by ${setMs} ms`, () => {
      const now = moment(60_000, setMs);
      assert.equal(now.at.getTime() - timeOf(then, now).getTime(), 60_000);
    });
});
