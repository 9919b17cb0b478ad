import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sourceTimeMs } from "../../../src/scrape/source-time.ts";

describe("a source's time", () => {
  const applications = (count: number): "application"[] => Array<"application">(count).fill("application");
  const rows: readonly [string, ...Parameters<typeof sourceTimeMs>, expected: number][] = [
    ["is all that is left when no other is to come", 700, 1_000, [], 700],
    ["is all but a little of it while an application is to come", 900, 1_000, ["application"], 850],
    ["is all but a fifth of it while Envoy is to come", 1_000, 1_000, ["envoy"], 800],
    ["keeps something for each", 1_000, 1_000, ["envoy", "application", "application"], 700],
    ["is what each has when little is left", 100, 1_000, ["envoy"], 50],
    ["is what each has when many are to come", 1_000, 1_000, applications(39), 25],
    ["is none when none is left", -5, 1_000, ["envoy"], 0],
  ];
  for (const [what, left, budget, others, expected] of rows) {
    test(what, () => {
      assert.equal(sourceTimeMs(left, budget, others), expected);
    });
  }
});
