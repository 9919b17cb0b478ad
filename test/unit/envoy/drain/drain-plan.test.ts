import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  afterPoll,
  ApplicationEnded,
  type ConnectionCount,
  drainBegun,
  drainEnd,
  type DrainPlan,
  planDrain,
} from "../../../../src/envoy/drain/drain-plan.ts";

const options = {
  preDrainDelayMs: 2_000,
  exitOnZeroActiveConnections: false,
  minimumDrainDurationMs: 5_000,
  maximumDrainDurationMs: undefined,
  terminationDrainDurationMs: 4_000,
};
const atZero = { ...options, exitOnZeroActiveConnections: true };
const quit = new ApplicationEnded("POST /quitquitquit");

describe("planDrain()", () => {
  for (const [name, changes, reason, expected] of [
    [
      "takes terminationDrainDuration, whatever the connections",
      {},
      undefined,
      { preDrainDelayMs: 2_000, endsAtZero: false, minimumMs: 4_000, maximumMs: 4_000 },
    ],
    [
      "waits for zero connections without a limit where an operator asks for that",
      { exitOnZeroActiveConnections: true },
      undefined,
      { preDrainDelayMs: 2_000, endsAtZero: true, minimumMs: 5_000, maximumMs: undefined },
    ],
    [
      "has the operator's limit",
      { exitOnZeroActiveConnections: true, maximumDrainDurationMs: 20_000 },
      undefined,
      { minimumMs: 5_000, maximumMs: 20_000 },
    ],
    [
      "neither delays nor waits for idle connections when the application has ended",
      { exitOnZeroActiveConnections: true },
      quit,
      { preDrainDelayMs: 0, endsAtZero: true, minimumMs: 5_000, maximumMs: 5_000 },
    ],
    [
      "drains for the usual time when the application has ended",
      {},
      quit,
      { preDrainDelayMs: 0, endsAtZero: false, minimumMs: 4_000, maximumMs: 4_000 },
    ],
  ] as const) {
    test(name, () => {
      const plan = planDrain({ ...options, ...changes }, reason);
      assert.deepEqual({ ...plan, ...expected }, plan);
    });
  }
});

/** Poll once a second, decide ten times a second, as the drain does. */
function simulate(plan: DrainPlan, polls: readonly (number | "error" | "not-kept")[]): string {
  let progress = drainBegun;
  for (let elapsedMs = 0; elapsedMs < 120_000; elapsedMs += 100) {
    if (elapsedMs % 1_000 === 0) {
      const poll = polls[Math.min(elapsedMs / 1_000, polls.length - 1)];
      const count: ConnectionCount =
        poll === "not-kept"
          ? { kind: "not-kept" }
          : typeof poll === "number"
            ? { kind: "counted", connections: poll }
            : { kind: "unknown" };
      progress = afterPoll(progress, count, elapsedMs);
    }
    const end = drainEnd(plan, progress, elapsedMs);
    if (end !== undefined) return `${end} at ${elapsedMs} ms`;
  }
  return "never";
}

describe("a drain", () => {
  const limited = { ...atZero, maximumDrainDurationMs: 20_000 };
  for (const [name, given, polls, expected] of [
    ["of fixed length lasts to its end without connections", options, [0], "its time is over at 4000 ms"],
    ["of fixed length ends with connections open", options, [7], "its time is over at 4000 ms"],
    ["of fixed length lasts to its end through errors", options, ["error"], "its time is over at 4000 ms"],
    ["ends at zero, but not before its minimum", atZero, [0], "no connection is left at 5000 ms"],
    [
      "waits for the connections that are open",
      atZero,
      [3, 3, 3, 3, 2, 2, 1, 1, 0],
      "no connection is left at 10000 ms",
    ],
    [
      "needs three polls in a row without connections",
      atZero,
      [1, 1, 1, 1, 0, 0, 1, 0],
      "no connection is left at 9000 ms",
    ],
    ["takes an error for connections", atZero, [0, 0, 0, 0, "error", 0], "no connection is left at 7000 ms"],
    [
      "gives up on an Envoy that has been silent for a minute, where it has no limit",
      atZero,
      ["error"],
      "Envoy does not answer any more at 60000 ms",
    ],
    [
      "counts the silence anew after each answer",
      atZero,
      ["error", "error", "error", 1, "error"],
      "Envoy does not answer any more at 64000 ms",
    ],
    ["never ends while an idle connection stays, without a limit", atZero, [1], "never"],
    ["ends at the operator's limit", limited, [1], "its time is over at 20000 ms"],
    ["ends at the operator's limit through errors", limited, ["error"], "its time is over at 20000 ms"],
    [
      "has the usual time where Envoy does not count connections",
      { ...atZero, terminationDrainDurationMs: 9_000 },
      ["not-kept"],
      "its time is over at 9000 ms",
    ],
    [
      "does not take a silent Envoy for one that does not count",
      atZero,
      ["error", "error", 2, 2, 2, 2, 2, 2, 0],
      "no connection is left at 10000 ms",
    ],
  ] as const) {
    test(name, () => {
      assert.equal(simulate(planDrain(given, undefined), polls), expected);
    });
  }
});
