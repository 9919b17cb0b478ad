import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { concurrencyOf, type ConcurrencySources } from "../../../../src/config/decide/concurrency.ts";

const nothing: ConcurrencySources = {
  configured: undefined,
  cpuLimit: 0,
  cpus: { limit: undefined, request: undefined, available: 8 },
  isKubernetes: true,
};

/** CPUs of a machine with eight of them. */
function cpus(limit: number | undefined, request?: number): Partial<ConcurrencySources> {
  return { cpus: { limit, request, available: 8 } };
}

describe("Envoy's concurrency", () => {
  for (const [name, changes, expected] of [
    ["is Envoy's own choice where nothing limits it", {}, undefined],
    ["is what was configured", { configured: 3, cpuLimit: 4, ...cpus(1) }, 3],
    ["is every CPU where ProxyConfig says 0", { configured: 0, cpuLimit: 4, ...cpus(1) }, "all"],
    ["is the quota, rounded up", cpus(1.5, 1), 2],
    ["is at least one", cpus(0.1), 1],
    ["is not one more for a quota that is no round number", cpus(2.000_01), 2],
    ["is no more than there are CPUs", cpus(9.5), 8],
    ["is the request where there is no quota, rounded up", cpus(undefined, 2.2), 3],
    ["is not the weight outside of Kubernetes", { ...cpus(undefined, 2.2), isKubernetes: false }, undefined],
    ["is the quota outside of Kubernetes", { ...cpus(3), isKubernetes: false }, 3],
  ] as const satisfies readonly (readonly [
    string,
    Partial<ConcurrencySources>,
    number | "all" | undefined,
  ])[]) {
    test(name, () => {
      assert.equal(concurrencyOf({ ...nothing, ...changes }, []), expected);
    });
  }

  test("of every CPU on a limited number of them is warned of", () => {
    for (const [changes, expected] of [
      [cpus(1), /8 worker threads on a CPU limit of 1/],
      [{ cpuLimit: 2 }, /a CPU limit of 2/],
      [{ cpuLimit: 8 }, /^$/],
      [{}, /^$/],
    ] as const) {
      const warnings: string[] = [];
      concurrencyOf({ ...nothing, configured: 0, ...changes }, warnings);
      assert.match(warnings.join("\n"), expected);
    }
  });
});
