import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  dependsOnVersions,
  type HotRestartFacts,
  whyNotHot,
} from "../../../../src/envoy/inspect/hot-restart.ts";
import { hotObstacleOf, workersIn } from "../../../../src/envoy/inspect/outside-incumbent.ts";

const known = (running: string, wanted: string) => ({ kind: "known", running, wanted }) as const;

const usual: HotRestartFacts = {
  obstacle: undefined,
  workers: { running: 2, wanted: 2 },
  isSameBinary: true,
  versions: undefined,
};

describe("whyNotHot()", () => {
  // What it shows, what changes, what is said.
  const cases: readonly (readonly [string, Partial<HotRestartFacts>, RegExp | undefined])[] = [
    ["the same Envoy can take over", {}, undefined],
    ["not where nobody can", { obstacle: "its parent has died" }, /^its parent has died$/],
    ["the number of workers stays", { workers: { running: 2, wanted: 3 } }, /number of workers/],
    ["also when it was left to Envoy", { workers: { running: 2, wanted: undefined } }, /number of workers/],
    [
      "another binary of the same version can",
      { isSameBinary: false, versions: known("11.104", "11.104") },
      undefined,
    ],
    [
      "of another version it cannot",
      { isSameBinary: false, versions: known("11.104", "12.1") },
      /differ: 11\.104 and 12\.1/,
    ],
    ["of an unknown one neither", { isSameBinary: false }, /unknown$/],
    [
      "and it is said why it is unknown",
      { isSameBinary: false, versions: { kind: "unknown", reason: "no such file" } },
      /unknown: no such file/,
    ],
  ];
  for (const [what, changes, expected] of cases) {
    test(what, () => {
      const reason = whyNotHot({ ...usual, ...changes });
      if (expected === undefined) assert.equal(reason, undefined);
      else assert.match(reason ?? "", expected);
    });
  }

  test("the versions are asked for only where they decide", () => {
    assert.equal(dependsOnVersions(usual), false);
    assert.equal(dependsOnVersions({ ...usual, isSameBinary: false }), true);
    assert.equal(dependsOnVersions({ ...usual, isSameBinary: false, obstacle: "no /dev/shm" }), false);
    assert.equal(
      dependsOnVersions({ ...usual, isSameBinary: false, workers: { running: 1, wanted: 2 } }),
      false,
    );
  });
});

describe("from beside the agent", () => {
  const running = { arguments: ["--restart-epoch", "0"], baseId: 3, report: undefined };
  const live = { state: "live", restarts: 0 };

  test("one that was started without hot restart says so, or the machine says why that was", () => {
    const alone = { ...running, arguments: ["--disable-hot-restart"] };
    assert.match(hotObstacleOf(alone, undefined) ?? "", /started without/);
    assert.equal(hotObstacleOf(alone, "no /dev/shm"), "no /dev/shm");
  });

  test("what only the agent knows is taken from its report", () => {
    assert.equal(hotObstacleOf(running, undefined), undefined);
    assert.equal(hotObstacleOf({ ...running, report: live }, undefined), undefined);
    const closed = { ...live, hotRestartObstacle: "a failed hot restart has left its mark" };
    assert.match(hotObstacleOf({ ...running, report: closed }, undefined) ?? "", /left its mark/);
  });

  test("without a base ID nobody can take over", () => {
    assert.match(
      hotObstacleOf({ ...running, baseId: undefined }, undefined) ?? "",
      /no.* base ID|not chosen/,
    );
  });

  test("the number of workers is that of the command line", () => {
    assert.equal(workersIn(["-l", "info", "--concurrency", "2"]), 2);
    assert.equal(workersIn(["-l", "info"]), undefined);
  });
});
