import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ClockJumps, fileAgeMs, sleepAsPlanned, sleepUnlessSet } from "../../../src/lifecycle/wall-clock.ts";

const hour = 3_600_000;
const never = new AbortController().signal;

/** A wall clock to set. */
function clock(): { aheadMs: number; readonly now: () => Date } {
  const set = { aheadMs: 0, now: () => new Date(Date.now() + set.aheadMs) };
  return set;
}

// They wait for looks at the clock, which are seconds apart: all of them for the same ones.
describe("a wall clock that is set", { concurrency: true }, () => {
  for (const aheadMs of [3 * hour, -3 * hour, 5_000, -5_000]) {
    test(`by ${aheadMs} ms is noticed once`, () => {
      const wall = clock();
      const jumps = new ClockJumps(wall.now);
      assert.equal(jumps.take(), 0);
      wall.aheadMs = aheadMs;
      assert.ok(Math.abs(jumps.take() - aheadMs) < 1_000);
      assert.equal(jumps.take(), 0);
    });
  }

  test("by what keeping time takes is nothing, until it adds up", () => {
    const wall = clock();
    const jumps = new ClockJumps(wall.now);
    wall.aheadMs = 1_000;
    assert.equal(jumps.take(), 0);
    wall.aheadMs = 3_500;
    assert.notEqual(jumps.take(), 0);
  });

  test("ends a wait early, either way; none is made longer", async () => {
    const endsEarly = async (aheadMs: number): Promise<boolean> => {
      const wall = clock();
      const waiting = sleepUnlessSet(hour, wall.now, never);
      wall.aheadMs = aheadMs;
      return waiting;
    };
    assert.deepEqual(await Promise.all([endsEarly(hour), endsEarly(-hour)]), [true, true]);
    assert.equal(await sleepUnlessSet(5, clock().now, never), false);
  });

  test("has a plan made again, which counts when it is shorter", async () => {
    const wall = clock();
    const due = Date.now() + 2 * hour;
    const rests: number[] = [];
    const waiting = sleepAsPlanned(
      (now) => due - now.getTime(),
      wall.now,
      never,
      (ms) => rests.push(ms),
    );
    wall.aheadMs = 2 * hour;
    await waiting;
    assert.deepEqual(rests, [0]);
  });

  test("back does not make a wait longer", async () => {
    const wall = clock();
    const due = Date.now() + 1_500;
    const waiting = sleepAsPlanned(
      (now) => due - now.getTime(),
      wall.now,
      never,
      () => assert.fail(),
    );
    wall.aheadMs = -hour;
    await waiting;
  });
});

test("nothing is younger than now", () => {
  assert.equal(fileAgeMs(Date.now() + hour), 0);
  assert.ok(fileAgeMs(Date.now() - hour) >= hour);
});
