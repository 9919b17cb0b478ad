/** What follows from what, one row per behaviour: the events that lead there, the last one, and what is done then. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SupervisionEvent } from "../../../../src/envoy/supervision/event.ts";
import { hotChildOf } from "../../../../src/envoy/supervision/state.ts";
import { begun } from "../../../support/supervision/explore.ts";
import { after, serving, swapping } from "../../../support/supervision/histories.ts";
import {
  asks,
  checked,
  dies,
  exits,
  explained,
  go,
  hangs,
  hurry,
  isEnded,
  live,
  proof,
  proven,
  refused,
  said,
  stop,
} from "../../../support/supervision/say.ts";
import { happen, type World } from "../../../support/supervision/world.ts";

type Row = readonly [
  name: string,
  world: World,
  events: readonly SupervisionEvent[],
  /** What is done after the last of them. */
  effects: readonly string[],
  /** What is shown then. */
  shown: string,
];

function check(rows: readonly Row[]): void {
  for (const [name, world, events, effects, shown] of rows) {
    test(name, () => {
      const last = events.at(-1);
      assert.ok(last !== undefined);
      const steps = happen(after(world, events.slice(0, -1)), { event: last, afterMs: 10 });
      assert.deepEqual(said(steps.flatMap((step) => step.effects)), effects);
      assert.equal(steps.at(-1)?.after.state.shown.kind, shown);
    });
  }
}

const hot = [asks(1, "second"), go("hot")];
const overlap = [asks(1, "second"), go("overlap")];
const handedOver = [...hot, live(2), proven(2)];
const overlapped = [...overlap, live(2), proven(2)];
const neverLive = proof(2, { kind: "never-live", reason: "not LIVE after 30000 ms" });
const faulty = proof(2, { kind: "faulty", reason: "no certificate" });
const cancelled = proof(2, { kind: "cancelled", isLive: false });
const serves = { kind: "timer", timer: { kind: "probation", number: 1 } } as const;

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

describe("the failure modes of hot restart", () => {
  check([
    [
      "F1: a child that dies before LIVE leaves no mark behind, and a parent without admin is replaced at once",
      serving,
      [...hot, dies(2), explained(2)],
      ["heal-lineage 2", "answer 1: refused", "check first from 1 to repair, hot"],
      "live",
    ],
    [
      "F2: a child that is never LIVE is killed, and nothing else is",
      serving,
      [...hot, neverLive],
      ["kill 2"],
      "live",
    ],
    [
      "F2: once it is gone, its parent is replaced",
      serving,
      [...hot, neverLive, isEnded(2)],
      ["heal-lineage 2", "answer 1: refused", "check first from 1 to repair, hot"],
      "live",
    ],
    [
      "F2: when that fails as well, one is put beside it",
      serving,
      [
        ...[...hot, neverLive, isEnded(2), go("hot")],
        proof(3, { kind: "never-live", reason: "not LIVE" }),
        isEnded(3),
      ],
      ["heal-lineage 3", "check first from 1 to repair, overlap"],
      "live",
    ],
    [
      "F3: a stop gives a child that is not LIVE three seconds, and no signal",
      serving,
      [...hot, stop],
      ["patience in 3000 ms"],
      "draining",
    ],
    [
      "F3: a second signal kills it, by SIGKILL",
      serving,
      [...hot, stop, hurry, cancelled],
      ["kill 2"],
      "draining",
    ],
    [
      "F3: a child that is LIVE is the one that is drained",
      serving,
      [...hot, stop, live(2), proof(2, { kind: "cancelled", isLive: true })],
      ["advance-epoch 2", "retire 1, handed-over", "answer 1: swapped", "drain 2 before stop"],
      "draining",
    ],
    [
      "F4: a parent that dies before its time is the end of its child: one is put beside it",
      serving,
      [...handedOver, dies(1), explained(1)],
      ["close-lineage 2", "check second from 2 to repair, overlap"],
      "live",
    ],
    [
      "F4: when none can be, it is drained and replaced cold",
      serving,
      [...handedOver, dies(1), explained(1), refused("mode")],
      ["check second from 2 to repair, cold"],
      "live",
    ],
    [
      "F4: a parent that its child has told to exit is no matter",
      serving,
      [
        ...handedOver,
        exits(1, 0),
        { ...explained(1), exit: { kind: "exited", code: 0 } } as SupervisionEvent,
      ],
      [],
      "live",
    ],
    [
      "F5: a child that is LIVE and lacks its certificate serves until the last good launch is proven beside it",
      after(serving, [serves]),
      [...hot, live(2), faulty],
      [
        "advance-epoch 2",
        "retire 1, handed-over",
        "answer 1: refused",
        "check first from 2 to repair, overlap",
      ],
      "starting",
    ],
    [
      "F6: after a total loss the next one takes over from nobody",
      serving,
      [...hot, live(2), dies(2), explained(2)],
      ["answer 1: refused", "retire 1, bereft", "start 3 with first"],
      "starting",
    ],
    [
      "F7: while a parent serves what it has, the next change waits",
      serving,
      [...handedOver, asks(2, "third")],
      ["recheck in 250 ms"],
      "live",
    ],
    [
      "F7: and begins when it is gone",
      serving,
      [...handedOver, asks(2, "third"), exits(1, 0)],
      ["check third from 2"],
      "live",
    ],
  ]);
});

describe("a newcomer that cannot take over", () => {
  const invalid = checked({ kind: "refuse", stage: "validate", reason: "Envoy refuses the bootstrap" });
  for (const [name, events] of [
    ["an invalid field", [asks(1, "second"), invalid]],
    ["an unknown extension", [asks(1, "second"), invalid]],
    ["a missing certificate", [asks(1, "second"), invalid]],
    ["a port taken by a foreign socket", [asks(1, "second"), refused("ports")]],
    ["a port taken by another Envoy of the same user", [asks(1, "second"), refused("ports")]],
    ["another hot restart version", [asks(1, "second"), refused("mode")]],
    ["a wrong binary that cannot be run", [asks(1, "second"), invalid]],
  ] as const) {
    test(`for ${name} changes nothing`, () => {
      const [step] = happen(after(serving, events.slice(0, -1)), { event: events[1], afterMs: 10 });
      assert.deepEqual(said(step?.effects ?? []), ["answer 1: refused"]);
      assert.deepEqual(step?.after.state.shown, serving.state.shown);
    });
  }
  check([
    [
      "for an end with an error while it starts changes nothing",
      serving,
      [...overlap, exits(2, 1), explained(2)],
      ["answer 1: refused"],
      "live",
    ],
    [
      "for a crash while it starts changes nothing",
      serving,
      [...overlap, dies(2), explained(2)],
      ["answer 1: refused"],
      "live",
    ],
    [
      "for a wrong binary that ends well at once changes nothing",
      serving,
      [...overlap, exits(2, 0), explained(2)],
      ["answer 1: refused"],
      "live",
    ],
    ["for never being LIVE is killed", serving, [...overlap, neverLive], ["kill 2"], "live"],
    [
      "for never being LIVE is refused when it is gone",
      serving,
      [...overlap, neverLive, isEnded(2)],
      ["answer 1: refused"],
      "live",
    ],
    [
      "for what it lacks is killed beside the old one",
      serving,
      [...overlap, live(2), faulty],
      ["kill 2"],
      "live",
    ],
    [
      "is not tried again unless that is asked for",
      serving,
      [...overlap, dies(2), explained(2), asks(2, "second")],
      ["answer 2: refused"],
      "live",
    ],
    [
      "is tried again when that is asked for",
      serving,
      [...overlap, dies(2), explained(2), asks(2, "second", true)],
      ["check second from 1"],
      "live",
    ],
  ]);
});

describe("a swap", () => {
  check([
    [
      "by overlap drains the old one when the new one is proven",
      serving,
      [...overlap, live(2), proven(2)],
      ["retire 1, overlapped", "answer 1: swapped"],
      "live",
    ],
    [
      "by hot restart leaves the old one to its child",
      serving,
      [...hot, live(2), proven(2)],
      ["advance-epoch 2", "retire 1, handed-over", "answer 1: swapped"],
      "live",
    ],
    [
      "by cold drains the old one first",
      serving,
      [asks(1, "second"), go("cold")],
      ["drain 1 before cold-swap"],
      "restarting",
    ],
    [
      "by cold ends the old one when it is drained",
      serving,
      [asks(1, "second"), go("cold"), { kind: "drained", number: 1 }],
      ["terminate 1"],
      "restarting",
    ],
    [
      "by cold starts the new one when the old one is gone",
      serving,
      [asks(1, "second"), go("cold"), { kind: "drained", number: 1 }, isEnded(1)],
      ["start 2 with second"],
      "starting",
    ],
    [
      "by cold goes back to what was good when the new one dies",
      serving,
      [
        ...[asks(1, "second"), go("cold"), { kind: "drained", number: 1 } as const, isEnded(1)],
        ...[explained(1), dies(2), explained(2)],
      ],
      ["answer 1: refused", "start 3 with first"],
      "starting",
    ],
    ["for what runs already is none", serving, [asks(1, "first")], ["answer 1: unchanged"], "live"],
    [
      "for what a cold swap has started is answered when that one is proven",
      after(serving, [
        ...[asks(1, "second"), go("cold"), { kind: "drained", number: 1 } as const, isEnded(1)],
        ...[explained(1), asks(2, "second"), live(2)],
      ]),
      [proven(2)],
      ["answer 1+2: swapped"],
      "live",
    ],
    [
      "that waits gives way to a newer one",
      after(serving, [...overlapped, asks(2, "third")]),
      [asks(3, "fourth")],
      ["answer 2: superseded"],
      "live",
    ],
    [
      "that waits answers all who ask for the same",
      after(serving, [
        ...overlapped,
        asks(2, "third"),
        asks(3, "third"),
        exits(1, 0),
        go("overlap"),
        live(3),
      ]),
      [proven(3)],
      ["retire 2, overlapped", "answer 2+3: swapped"],
      "live",
    ],
    [
      "is off when the old one dies, and comes again when another one serves",
      serving,
      [...overlap, dies(1), explained(1), cancelled, isEnded(2)],
      ["start 3 with first", "recheck in 250 ms"],
      "starting",
    ],
    [
      "by hot restart goes on with a LIVE child when its parent dies, and one is put beside that",
      serving,
      [...hot, live(2), dies(1), explained(1), cancelled],
      ["advance-epoch 2", "answer 1: swapped", "close-lineage 2", "check second from 2 to repair, overlap"],
      "starting",
    ],
    [
      "waits while the agent cannot serve a newcomer",
      serving,
      [asks(1, "second"), checked({ kind: "wait", reason: "no certificate" })],
      ["recheck in 250 ms"],
      "live",
    ],
    [
      "waits for nobody whose listeners are drained on request",
      serving,
      [{ kind: "drained-on-request", number: 1, how: "POST /drain", isWhole: true }, asks(1, "second")],
      ["recheck in 250 ms"],
      "live",
    ],
  ]);
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
