/** What follows from what at a swap, one row per behaviour. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { after, serving } from "../../../support/supervision/histories.ts";
import {
  asks,
  checked,
  dies,
  exits,
  explained,
  go,
  isEnded,
  live,
  proven,
  refused,
  said,
} from "../../../support/supervision/say.ts";
import { happen } from "../../../support/supervision/world.ts";
import {
  check,
  hot,
  overlap,
  overlapped,
  neverLive,
  faulty,
  cancelled,
} from "../../../support/supervision/rows.ts";

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
