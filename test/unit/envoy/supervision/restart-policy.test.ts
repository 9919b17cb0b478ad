import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import {
  type Death,
  decideRestart,
  defaultRestartPolicy as policy,
} from "../../../../src/envoy/supervision/restart-policy.ts";

const second = 1_000;
const minute = 60 * second;

/** One that died before it served. */
const failed = (at: number, launch = "new"): Death => ({ at, servedMs: undefined, launch });
/** One that had served. */
const killed = (at: number, servedMs = 1, launch = "new"): Death => ({ at, servedMs, launch });

const delayOf = (deaths: readonly Death[], next = "new"): number | "give-up" => {
  const decision = decideRestart(policy, deaths, next, 0.5);
  return decision.kind === "restart" ? decision.delayMs : decision.kind;
};

describe("decideRestart()", () => {
  for (const [name, deaths, expected] of [
    ["one that fails for the first time is tried again at once", [failed(0)], 0],
    ["the second failure in a row waits the initial delay", [failed(0), failed(100)], 200],
    ["the delay doubles", [failed(0), failed(100), failed(200)], 400],
    ["the delay has a limit", Array.from({ length: 10 }, (_, at) => failed(at)), 15 * second],
    ["failures long ago are forgotten", [failed(0), failed(1), failed(6 * minute)], 0],
    ["one that had served for a moment is started at once", [killed(0, 0)], 0],
    [
      "ten that had served, three seconds apart, are each started at once",
      Array.from({ length: 10 }, (_, index) => killed(index * 3 * second, 2 * second)),
      0,
    ],
    ["one that had served, after failures", [failed(0), failed(1), failed(2), killed(3)], 0],
    ["the first failure after one that had served", [failed(0), failed(1), killed(2), failed(3)], 0],
    ["the second failure after one that had served", [failed(0), killed(2), failed(3), failed(4)], 200],
    ["deaths before a stable Envoy are forgotten", [failed(0), failed(1), killed(2 * minute, minute)], 0],
  ] as const) {
    test(name, () => {
      assert.equal(delayOf(deaths), expected);
    });
  }

  test("a bootstrap to go back to has failed nothing, and has the failures that are its own", () => {
    const deaths = [killed(0, 1, "good"), failed(1), failed(2), failed(3)];
    assert.equal(delayOf(deaths, "good"), 0);
    assert.equal(delayOf([...deaths, failed(4, "good"), failed(5), failed(6, "good")], "good"), 200);
  });

  test("more deaths in the window than the budget end the attempts, whether they had served or not", () => {
    for (const death of [failed, killed]) {
      const deaths = Array.from({ length: policy.budget + 1 }, (_, index) => death(index * second));
      assert.equal(delayOf(deaths), "give-up");
      assert.notEqual(delayOf(deaths.slice(1)), "give-up");
    }
  });

  test("whatever came before, one that had served is never delayed", () => {
    const history = fc.array(
      fc.record({
        after: fc.nat(10 * minute),
        servedMs: fc.option(fc.nat(2 * minute), { nil: undefined }),
        launch: fc.constantFrom("new", "good"),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(
        history,
        fc.nat(2 * minute),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (steps, servedMs, random) => {
          let at = 0;
          const deaths = steps.map(({ after, ...death }): Death => ({ at: (at += after), ...death }));
          const decision = decideRestart(policy, [...deaths, killed(at + 1, servedMs)], "new", random);
          assert.ok(decision.kind === "give-up" || decision.delayMs === 0, JSON.stringify(decision));
        },
      ),
    );
  });
});
