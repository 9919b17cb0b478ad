/** What follows from the failure modes of hot restart, one row each. */
import { describe } from "node:test";
import type { SupervisionEvent } from "../../../../src/envoy/supervision/event.ts";
import { after, serving } from "../../../support/supervision/histories.ts";
import {
  asks,
  dies,
  exits,
  explained,
  go,
  hurry,
  isEnded,
  live,
  proof,
  refused,
  stop,
} from "../../../support/supervision/say.ts";
import {
  check,
  hot,
  handedOver,
  neverLive,
  faulty,
  cancelled,
  serves,
} from "../../../support/supervision/rows.ts";

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
