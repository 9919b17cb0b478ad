import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import {
  afterPoll,
  type ConnectionCount,
  drainBegun,
  drainEnd,
  type DrainPlan,
  nextPollMs,
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
const asked = { wasReady: true, applicationEnded: false };
const quit = { wasReady: true, applicationEnded: true };
const unready = { wasReady: false, applicationEnded: false };

describe("planDrain()", () => {
  for (const [name, changes, facts, expected] of [
    [
      "takes terminationDrainDuration, whatever the connections",
      {},
      asked,
      { preDrainDelayMs: 2_000, endsAtZero: false, minimumMs: 4_000, maximumMs: 4_000 },
    ],
    [
      "waits for zero connections without a limit where an operator asks for that",
      { exitOnZeroActiveConnections: true },
      asked,
      { preDrainDelayMs: 2_000, endsAtZero: true, minimumMs: 5_000, maximumMs: undefined },
    ],
    [
      "has the operator's limit",
      { exitOnZeroActiveConnections: true, maximumDrainDurationMs: 20_000 },
      asked,
      { minimumMs: 5_000, maximumMs: 20_000 },
    ],
    [
      "neither delays nor waits for idle connections when the application has ended",
      { exitOnZeroActiveConnections: true },
      quit,
      { preDrainDelayMs: 0, endsAtZero: true, minimumMs: 5_000, maximumMs: 5_000 },
    ],
    [
      "waits for who is connected when the application has ended, for the usual time at most",
      {},
      quit,
      { preDrainDelayMs: 0, endsAtZero: true, countsOutbound: true, minimumMs: 0, maximumMs: 4_000 },
    ],
    [
      "keeps the operator's limit when the application has ended",
      { exitOnZeroActiveConnections: true, minimumDrainDurationMs: 1_000, maximumDrainDurationMs: 3_000 },
      quit,
      { minimumMs: 1_000, maximumMs: 3_000, maximumWithoutCountsMs: 3_000 },
    ],
    [
      "ends at once where nobody is connected to what was never ready",
      {},
      unready,
      { preDrainDelayMs: 0, endsAtZero: true, minimumMs: 0, maximumMs: 4_000 },
    ],
    [
      "waits for who is connected to what was never ready as long as for others",
      { exitOnZeroActiveConnections: true },
      unready,
      { preDrainDelayMs: 0, endsAtZero: true, minimumMs: 0, maximumMs: undefined },
    ],
  ] as const) {
    test(name, () => {
      const plan = planDrain({ ...options, ...changes }, facts);
      assert.deepEqual({ ...plan, ...expected }, plan);
    });
  }
});

test("one more reason never makes a drain longer", () => {
  const ms = fc.nat(100_000);
  const settings = fc.record({
    preDrainDelayMs: ms,
    exitOnZeroActiveConnections: fc.boolean(),
    minimumDrainDurationMs: ms,
    maximumDrainDurationMs: fc.option(ms, { nil: undefined }),
    terminationDrainDurationMs: ms,
  });
  const progress = fc.record({
    noneAtMs: fc.option(ms, { nil: undefined }),
    countsKept: fc.boolean(),
    silentSinceMs: fc.option(ms, { nil: undefined }),
  });
  fc.assert(
    fc.property(settings, progress, ms, fc.boolean(), (given, seen, elapsedMs, wasReady) => {
      const before = planDrain(given, { wasReady, applicationEnded: false });
      const after = planDrain(given, { wasReady, applicationEnded: true });
      assert.ok(after.preDrainDelayMs <= before.preDrainDelayMs);
      if (drainEnd(before, seen, elapsedMs) === undefined) return;
      assert.notEqual(drainEnd(after, seen, elapsedMs), undefined);
    }),
    { numRuns: 5_000 },
  );
});

/** Poll when one is due, decide ten times a second, as the drain does. */
function simulate(plan: DrainPlan, polls: readonly (number | "error" | "not-kept")[]): string {
  let progress = drainBegun;
  let pollAtMs = 0;
  for (let elapsedMs = 0; elapsedMs < 120_000; elapsedMs += 100) {
    if (elapsedMs >= pollAtMs) {
      const poll = polls[Math.min(Math.floor(elapsedMs / 1_000), polls.length - 1)];
      const count: ConnectionCount =
        poll === "not-kept"
          ? { kind: "not-kept" }
          : typeof poll === "number"
            ? { kind: "counted", connections: poll }
            : { kind: "unknown" };
      progress = afterPoll(progress, count, elapsedMs);
      pollAtMs = elapsedMs + nextPollMs(plan, elapsedMs);
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
      "of one second ends with it, where no connection is",
      { ...atZero, minimumDrainDurationMs: 1_000 },
      [0],
      "no connection is left at 1000 ms",
    ],
    [
      "polls when its minimum is over",
      { ...atZero, minimumDrainDurationMs: 2_500 },
      [0],
      "no connection is left at 2500 ms",
    ],
    [
      "believes no poll from before its minimum",
      { ...atZero, minimumDrainDurationMs: 2_000 },
      [0, 0, 1, 1, 0],
      "no connection is left at 4000 ms",
    ],
    [
      "waits for the connections that are open",
      atZero,
      [3, 3, 3, 3, 2, 2, 1, 1, 0],
      "no connection is left at 8000 ms",
    ],
    [
      "takes an error for connections",
      atZero,
      [0, 0, 0, 0, 0, "error", "error", 0],
      "no connection is left at 7000 ms",
    ],
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
      "no connection is left at 8000 ms",
    ],
  ] as const) {
    test(name, () => {
      assert.equal(simulate(planDrain(given, asked), polls), expected);
    });
  }
});
