/** What follows from what, one row per behaviour: the events that lead there, the last one, and what is done then. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SupervisionEvent } from "../../../../src/envoy/supervision/event.ts";
import { hotChildOf } from "../../../../src/envoy/supervision/state.ts";
import { begun } from "../../../support/supervision/explore.ts";
import { after, serving, swapping } from "../../../support/supervision/histories.ts";
import {
  asks,
  dies,
  explained,
  go,
  hangs,
  hurry,
  isEnded,
  live,
  proven,
  refused,
  said,
  stop,
} from "../../../support/supervision/say.ts";
import { happen } from "../../../support/supervision/world.ts";
import { check, overlap, overlapped, cancelled } from "../../../support/supervision/rows.ts";

describe("an Envoy that takes over from nobody", () => {
  check([
    ["serves when it is proven", begun(), [live(1), proven(1)], ["keep first"], "live"],
    [
      "is started again at once after its first death, with the launch that was good",
      serving,
      [dies(1), explained(1)],
      ["start 2 with first"],
      "starting",
    ],
    ["is not ready in the turn of its death", serving, [dies(1)], [], "restarting"],
    [
      "is waited for from the second death before it serves",
      serving,
      [dies(1), explained(1), dies(2), explained(2), dies(3), explained(3)],
      ["start in 200 ms"],
      "restarting",
    ],
    [
      "is started when its time has come",
      serving,
      [
        ...[dies(1), explained(1), dies(2), explained(2), dies(3), explained(3)],
        { kind: "timer", timer: { kind: "start", number: 4 } },
      ],
      ["start 4 with first"],
      "starting",
    ],
    [
      "is given up when the budget of four is spent",
      serving,
      [1, 2, 3, 4, 5].flatMap((number) => [
        ...(number > 3
          ? [{ kind: "timer", timer: { kind: "start", number } } satisfies SupervisionEvent]
          : []),
        ...[dies(number), explained(number)],
      ]),
      ["end, gave-up"],
      "stopped",
    ],
  ]);

  test("that cannot be started the first time fails the agent, and later is tried again", () => {
    const disk = { kind: "not-started", number: 1, reason: "ENOSPC" } as const;
    assert.deepEqual(said(happen(begun(), { event: disk, afterMs: 0 }).flatMap((step) => step.effects)), [
      "fail",
    ]);
    const steps = happen(after(serving, [dies(1)]), { event: explained(1), afterMs: 10 }, undefined, false);
    assert.deepEqual(said(steps.flatMap((step) => step.effects)), ["start 2 with first", "start in 200 ms"]);
  });
});

describe("an Envoy that hangs", () => {
  check([
    ["and is stopped is killed at once", serving, [hangs(1, true)], ["kill 1"], "live"],
    [
      "and may still serve is killed when another one has not come in three seconds",
      serving,
      [hangs(1, false)],
      ["hung in 3000 ms", "check first from 1 to repair, overlap"],
      "live",
    ],
    [
      "is killed then",
      serving,
      [hangs(1, false), { kind: "timer", timer: { kind: "hung", number: 1 } }],
      ["kill 1"],
      "live",
    ],
    [
      "is killed then, also when a stop drains it meanwhile",
      serving,
      [hangs(1, false), stop, { kind: "timer", timer: { kind: "hung", number: 1 } }],
      ["kill 1"],
      "draining",
    ],
    [
      "is killed when another one is proven",
      serving,
      [hangs(1, false), go("overlap"), live(2), proven(2)],
      ["retire 1, hung"],
      "live",
    ],
    [
      "is killed when none can be put beside it",
      serving,
      [hangs(1, false), refused("mode")],
      ["kill 1"],
      "live",
    ],
  ]);
});

describe("a hot restart child that has died by itself", () => {
  test("has left its parent without admin before that is explained, and nobody is asked for it", () => {
    const [step] = happen(swapping("hot"), { event: dies(2), afterMs: 10 });
    const state = step?.after.state;
    assert.ok(state !== undefined);
    assert.equal(hotChildOf(state)?.number, 2);
  });
});

describe("a stop", () => {
  const drained = { kind: "drained", number: 1 } as const;
  check([
    ["drains what serves", serving, [stop], ["drain 1 before stop"], "draining"],
    ["ends it when it is drained", serving, [stop, drained], ["terminate 1"], "draining"],
    [
      "is over when it is gone and explained",
      serving,
      [stop, drained, isEnded(1), explained(1)],
      ["end, drained"],
      "stopped",
    ],
    ["drains nothing before anything has served", begun(), [stop], ["terminate 1"], "draining"],
    ["says so", begun(), [stop, isEnded(1), explained(1)], ["end, never-served"], "stopped"],
    [
      "that is in a hurry says so",
      serving,
      [stop, hurry, drained, isEnded(1), explained(1)],
      ["end, cut-short"],
      "stopped",
    ],
    [
      "ends an Envoy at once that was drained on request",
      serving,
      [{ kind: "drained-on-request", number: 1, how: "POST /drain", isWhole: true }, stop],
      ["terminate 1"],
      "draining",
    ],
    ["kills a newcomer beside the old one", serving, [...overlap, stop, cancelled], ["kill 2"], "draining"],
    [
      "and drains the old one when that is gone",
      serving,
      [...overlap, stop, cancelled, isEnded(2)],
      ["answer 1: stopped", "drain 1 before stop"],
      "draining",
    ],
    [
      "kills those that were replaced when the last one is gone",
      after(serving, overlapped),
      [stop, { kind: "drained", number: 2 }, isEnded(2)],
      ["kill 1"],
      "draining",
    ],
    [
      "takes over from the drain of a cold swap",
      serving,
      [asks(1, "second"), go("cold"), stop],
      ["answer 1: stopped", "cancel-drain 1", "drain 1 before stop"],
      "draining",
    ],
    [
      "while an Envoy waits to be started is over at once",
      serving,
      [dies(1), explained(1), dies(2), explained(2), dies(3), explained(3), stop],
      ["end, drained"],
      "stopped",
    ],
    [
      "answers who asked for an Envoy that a cold swap has started",
      serving,
      [asks(1, "second"), go("cold"), drained, isEnded(1), explained(1), stop],
      ["answer 1: stopped", "terminate 2"],
      "draining",
    ],
    ["refuses whoever asks after it", serving, [stop, asks(1, "second")], ["answer 1: stopped"], "draining"],
  ]);
});
