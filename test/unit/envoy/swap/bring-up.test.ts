import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pollMs } from "../../../../src/envoy/swap/bring-up.ts";

describe("how long a booting Envoy is left alone between two questions", () => {
  const cases = [
    { name: "an Envoy that answers at once", ageMs: 100, answeredWithinMs: 1, expected: 20 },
    { name: "one whose answers take a moment", ageMs: 100, answeredWithinMs: 10, expected: 50 },
    { name: "one that has little of a processor", ageMs: 2_999, answeredWithinMs: 100, expected: 250 },
    { name: "one that waits for somebody else", ageMs: 3_000, answeredWithinMs: 1, expected: 250 },
  ];
  for (const { name, ageMs, answeredWithinMs, expected } of cases) {
    test(name, () => {
      assert.equal(pollMs(ageMs, answeredWithinMs), expected);
    });
  }
});
