import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nextNewcomerStep } from "../../../../src/envoy/supervision/newcomer-step.ts";

const [hot, overlap] = ["hot", "overlap"] as const;

describe("what becomes of a newcomer: mode, LIVE, milliseconds since the stop, cut", () => {
  for (const [mode, isLive, stopForMs, isCut, step] of [
    // Nobody interrupts it.
    [hot, false, undefined, false, "go-on"],
    [hot, true, undefined, false, "go-on"],
    [overlap, false, undefined, false, "go-on"],
    [overlap, true, undefined, false, "go-on"],
    // A stop: the old one has lost its admin interface, so that the newcomer is worth a wait.
    [hot, false, 0, false, "go-on for 3000"],
    [hot, false, 2_000, false, "go-on for 1000"],
    [hot, false, 2_999.5, false, "go-on for 0.5"],
    [hot, false, 3_000, false, "abandon"],
    [hot, false, 60_000, false, "abandon"],
    [hot, true, 0, false, "take-over"],
    [hot, true, 2_000, false, "take-over"],
    [hot, true, 60_000, false, "take-over"],
    // A second signal, or the old one is gone.
    [hot, false, 0, true, "abandon"],
    [hot, false, 2_000, true, "abandon"],
    [hot, true, 0, true, "take-over"],
    [hot, false, undefined, true, "abandon"],
    [hot, true, undefined, true, "take-over"],
    // Beside a newcomer that has nothing of it, the old one serves and can be drained.
    [overlap, false, 0, false, "abandon"],
    [overlap, true, 0, false, "abandon"],
    [overlap, false, undefined, true, "abandon"],
    [overlap, true, 2_000, true, "abandon"],
  ] as const) {
    test(`${JSON.stringify([mode, isLive, stopForMs, isCut])} is ${step}`, () => {
      const next = nextNewcomerStep({ mode, isLive, stopForMs, isCut });
      const bound = next.kind === "go-on" && next.forMs !== undefined ? ` for ${next.forMs}` : "";
      assert.equal(`${next.kind}${bound}`, step);
    });
  }
});
