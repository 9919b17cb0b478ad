import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ListenerFacts } from "../../../../src/envoy/admin/listeners.ts";
import { decideSwapMode, type SwapConditions } from "../../../../src/envoy/inspect/swap-mode.ts";

const shared: ListenerFacts = {
  name: "shared",
  address: { host: "0.0.0.0", port: 1 },
  exclusive: undefined,
  tls: [],
};
const exclusive: ListenerFacts = { ...shared, name: "sole", exclusive: "has enable_reuse_port off" };
const everything: SwapConditions = {
  requested: "auto",
  listeners: [shared],
  hotObstacle: undefined,
  migratesConnections: true,
  memory: { envoyBytes: 100, freeBytes: 1_000 },
};

describe("decideSwapMode()", () => {
  for (const [name, changes, mode, why] of [
    ["overlap where nothing is lost by it", {}, "overlap", /bound twice/],
    ["hot where overlap would reset connections", { migratesConnections: false }, "hot", /tcp_migrate_req/],
    [
      "overlap all the same where hot restart is impossible",
      { migratesConnections: false, hotObstacle: "no /dev/shm" },
      "overlap",
      /no \/dev\/shm/,
    ],
    ["hot where a listener is exclusive", { listeners: [shared, exclusive] }, "hot", /listener sole has/],
    ["hot where the listeners are unknown", { listeners: undefined }, "hot", /unknown/],
    [
      "cold where neither is possible",
      { listeners: [exclusive], hotObstacle: "no /dev/shm" },
      "cold",
      /listener sole has .*; no \/dev\/shm/,
    ],
    [
      "cold where memory holds no second Envoy",
      { memory: { envoyBytes: 100 * 2 ** 20, freeBytes: 110 * 2 ** 20 } },
      "cold",
      /uses 100 MiB, 110 MiB are free/,
    ],
    ["overlap where memory is unknown", { memory: undefined }, "overlap", /bound twice/],
    ["what is asked for", { requested: "cold" }, "cold", /as asked/],
    ["hot as asked, though overlap would do", { requested: "hot" }, "hot", /as asked/],
  ] as const) {
    test(`takes ${name}`, () => {
      const decision = decideSwapMode({ ...everything, ...changes });
      assert.equal(decision.kind === "mode" ? decision.mode : decision.kind, mode);
      assert.match(decision.why, why);
    });
  }

  test("refuses a demanded mode that is impossible, with the reason", () => {
    assert.deepEqual(decideSwapMode({ ...everything, requested: "overlap", listeners: [exclusive] }), {
      kind: "impossible",
      why: "--swapMode=overlap cannot be done: listener sole has enable_reuse_port off",
    });
    assert.equal(decideSwapMode({ ...everything, requested: "hot", hotObstacle: "x" }).kind, "impossible");
  });
});
