import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DialPace } from "../../../../src/xdsproxy/stream/dial-pace.ts";

describe("the pace of tries", () => {
  const slow = (failures: number): DialPace => {
    const pace = new DialPace(
      () => 0.5,
      () => 1_000,
    );
    for (let failed = 0; failed < failures; failed += 1) pace.failed();
    return pace;
  };

  test("grows from failure to failure, up to five seconds", () => {
    assert.deepEqual(
      [0, 1, 2, 3, 20].map((failures) => slow(failures).restMs),
      [0, 200, 300, 450, 5_000],
    );
  });

  test("is at once again after an answer", () => {
    const pace = slow(20);
    pace.reset();
    assert.equal(pace.restMs, 0);
    pace.failed();
    assert.equal(pace.restMs, 200);
  });

  test("lets go of whoever waits when there is a reason to try at once", async () => {
    const pace = slow(20);
    const waiting = pace.wait(new AbortController().signal);
    pace.reset();
    // Else this takes five seconds, and the test is ended.
    await waiting;
  });
});
