import assert from "node:assert/strict";
import { test } from "node:test";
import { ConditionBook } from "../../../src/status/condition-book.ts";

test("each condition keeps the time at which its status changed, whatever its reason says since", () => {
  let seconds = 0;
  let setSeconds = 0;
  const book = new ConditionBook(() => ({
    at: new Date((seconds + setSeconds) * 1_000),
    atMs: seconds * 1_000,
  }));
  const since = (status: "holds" | "fails" | "unknown", reason?: string): string | undefined => {
    seconds += 1;
    return book.dated([{ name: "live", status, ...(reason === undefined ? {} : { reason }) }])[0]?.since;
  };
  assert.equal(since("fails", "INITIALIZING"), "1970-01-01T00:00:01.000Z");
  assert.equal(since("fails", "DRAINING"), "1970-01-01T00:00:01.000Z");
  assert.equal(since("holds"), "1970-01-01T00:00:03.000Z");
  assert.equal(since("holds"), "1970-01-01T00:00:03.000Z");
  assert.equal(since("unknown"), "1970-01-01T00:00:05.000Z");
  setSeconds = 3_600;
  assert.equal(since("unknown"), "1970-01-01T01:00:05.000Z", "a second ago, as the wall clock is set now");
});
