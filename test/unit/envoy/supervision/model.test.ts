/**
 * The model check of supervision: whatever happens in whatever order, what `support/supervision/invariants.ts` says
 * holds; and a transition that is wrong in one thing is found out.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { begun, exhaust, type Violation, walk } from "../../../support/supervision/explore.ts";
import { starts } from "../../../support/supervision/histories.ts";
import { mutants } from "../../../support/supervision/mutants.ts";

function explain(violation: Violation | undefined): string {
  return violation === undefined ? "" : `${violation.rules.join("; ")}\n${violation.trace.join("\n")}`;
}

// Even draws: with fast-check's own liking for small ones the same few events would come all the time.
const draw = fc.noBias(fc.integer({ min: 0, max: 2 ** 30 - 1 })).map((number) => number / 2 ** 30);

describe("every order of events", () => {
  for (const [name, world, depth] of [["from the start", begun(), 5] as const, ...starts]) {
    test(`${name}, ${depth} deep`, (context) => {
      const { violation, states } = exhaust([world], depth);
      assert.equal(violation, undefined, explain(violation));
      context.diagnostic(`${states} states`);
      assert.ok(states > 1_000, `${states} states`);
    });
  }
});

describe("a hundred thousand drawn events", () => {
  test("hold to the rules, and each stop comes to its end", (context) => {
    let events = 0;
    fc.assert(
      fc.property(fc.array(draw, { minLength: 100, maxLength: 250, size: "max" }), (draws) => {
        const { violation, events: count } = walk(draws);
        events += count;
        assert.equal(violation, undefined, explain(violation));
      }),
      { numRuns: 1_300, endOnFailure: true },
    );
    context.diagnostic(`${events} events`);
    assert.ok(events >= 100_000, `${events} events`);
  });
});

describe("a transition that", () => {
  for (const { name, transition } of mutants) {
    test(`${name} is found out`, (context) => {
      const { failed, counterexample } = fc.check(
        fc.property(
          fc.array(draw, { minLength: 60, maxLength: 120, size: "max" }),
          (draws) => walk(draws, transition).violation === undefined,
        ),
        { numRuns: 400, seed: 7, endOnFailure: true },
      );
      assert.ok(failed, "nothing was found");
      const violation = walk(counterexample?.[0] ?? [], transition).violation;
      context.diagnostic(explain(violation).split("\n")[0] ?? "");
    });
  }
});
