import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { slices } from "../../../../src/envoy/exits/admin-snapshot.ts";
import { recordsToRemove } from "../../../../src/envoy/exits/flight-recorder.ts";

describe("recordsToRemove()", () => {
  const records = ["1", "2", "3", "4"].map((name) => ({ name, bytes: 10 }));
  for (const [name, limits, expected] of [
    ["nothing within the limits", { keep: 4, maxBytes: 40 }, []],
    ["the oldest beyond the number", { keep: 2, maxBytes: 1_000 }, ["1", "2"]],
    ["the oldest beyond the size", { keep: 9, maxBytes: 25 }, ["1", "2"]],
    ["never the last one", { keep: 0, maxBytes: 0 }, ["1", "2", "3"]],
    ["never a running one", { keep: 1, maxBytes: 1_000, running: ["1"] }, ["2", "3"]],
  ] as readonly [string, { keep: number; maxBytes: number; running?: string[] }, string[]][]) {
    test(name, () => {
      const { running = [], ...others } = limits;
      assert.deepEqual(recordsToRemove(records, { ...others, running: new Set(running) }), expected);
    });
  }
});

test("slices() lose nothing and end with lines", () => {
  const text = Array.from({ length: 100 }, (_, n) => "x".repeat(n)).join("\n");
  const parts = [...slices(text, 50)];
  assert.equal(parts.join(""), text);
  assert.ok(parts.length > 10);
  assert.ok(parts.slice(0, -1).every((part) => part.endsWith("\n")));
});
