import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { noChecks, withResult, type WorkloadHealth } from "../../../src/workload-health/health.ts";

const now = new Date("2026-01-01T00:00:00Z");

/** The health after each check: `+` went well, any other letter failed with that reason. */
function healths(checks: string, success: number, failure: number): readonly WorkloadHealth[] {
  let tally = noChecks;
  return Array.from(checks, String).map((check) => {
    const result =
      check === "+" ? ({ kind: "healthy" } as const) : ({ kind: "unhealthy", reason: check } as const);
    tally = withResult(tally, result, { success, failure }, now);
    return tally.health;
  });
}

/** `?` unknown, `h` healthy, else the reason. */
function letters(values: readonly WorkloadHealth[]): string {
  return values
    .map((health) => (health.kind === "unhealthy" ? health.reason : health.kind === "healthy" ? "h" : "?"))
    .join("");
}

describe("the health of a workload", () => {
  const cases: readonly [checks: string, success: number, failure: number, expected: string][] = [
    ["+", 1, 1, "h"],
    ["a", 1, 1, "a"],
    ["++++", 3, 1, "??hh"],
    ["aaaa", 1, 3, "??aa"],
    ["++a+++", 3, 2, "?????h"],
    ["aa+aaa", 2, 3, "?????a"],
    ["+ab+", 1, 1, "haah"],
    ["+abc+", 1, 3, "hhhch"],
    ["+ab+abc", 1, 3, "hhhhhhc"],
    ["a+b+b++", 2, 1, "aaaaaah"],
    ["+++++a", 1, 1, "hhhhha"],
  ];
  for (const [checks, success, failure, expected] of cases) {
    test(`${checks} with thresholds ${success} and ${failure} is ${expected}`, () => {
      assert.equal(letters(healths(checks, success, failure)), expected);
    });
  }

  test("is another object only when it has changed, so that a change is told once", () => {
    const seen = healths("+++ab+", 1, 1);
    assert.equal(new Set(seen).size, 3);
    assert.equal(seen[0], seen[2]);
    assert.equal(seen[3], seen[4], "another reason is no change");
  });
});
