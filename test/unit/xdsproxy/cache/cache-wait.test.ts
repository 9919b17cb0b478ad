import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cacheWaitMs } from "../../../../src/xdsproxy/cache/cache-wait.ts";

describe("cacheWaitMs()", () => {
  const facts = { cacheAfterMs: 2_000, unreachableForMs: 0, isSuccessor: false };
  for (const [name, changes, expected] of [
    ["the first Envoy gives the control plane its time", {}, 2_000],
    ["what it was gone before counts", { unreachableForMs: 1_500 }, 500],
    ["but Envoy's first requests are waited for", { unreachableForMs: 60_000 }, 100],
    ["one that comes after a death is served soon", { isSuccessor: true }, 250],
    [
      "sooner still when the control plane is known to be gone",
      { isSuccessor: true, unreachableForMs: 500 },
      100,
    ],
    ["never later than an operator asks for", { isSuccessor: true, cacheAfterMs: 150 }, 150],
  ] as const) {
    test(name, () => {
      assert.equal(cacheWaitMs({ ...facts, ...changes }), expected);
    });
  }
});
