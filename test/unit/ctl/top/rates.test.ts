import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { afterLook, noHistory } from "../../../../src/ctl/top/history.ts";
import { percentileOf, ratesBetween } from "../../../../src/ctl/top/rates.ts";
import type { Bin, Count, Look } from "../../../../src/ctl/top/traffic.ts";

function look(
  atMs: number,
  counts: Readonly<Record<string, Count>>,
  changes: Partial<Look> & { readonly latencies?: readonly Bin[] } = {},
): Look {
  return {
    atMs,
    uptimeSeconds: atMs / 1_000,
    hotRestartGeneration: 1,
    countedBy: "listeners",
    inbound: { counts: new Map(Object.entries(counts)), latencies: changes.latencies },
    outbound: { counts: new Map(), latencies: undefined },
    ...changes,
  };
}

describe("rates between two looks", () => {
  test("are what was counted, by the time between them", () => {
    const before = look(10_000, { a: { requests: 100, errors: 10 }, b: { requests: 5, errors: 0 } });
    const after = look(12_000, { a: { requests: 130, errors: 13 }, b: { requests: 15, errors: 5 } });
    assert.deepEqual(ratesBetween(before, after), {
      inbound: { requestsPerSecond: 20, errorShare: 0.2, p50Ms: undefined, p99Ms: undefined },
      outbound: { requestsPerSecond: 0, errorShare: undefined, p50Ms: undefined, p99Ms: undefined },
    });
  });

  test("are none for another Envoy, whatever it has counted already, nor by other means", () => {
    const before = look(100_000, { a: { requests: 100, errors: 0 } });
    const grown = { a: { requests: 1_000_000, errors: 0 } };
    assert.equal(ratesBetween(before, look(102_000, grown, { uptimeSeconds: 1 })), undefined);
    assert.equal(ratesBetween(before, look(102_000, grown, { hotRestartGeneration: 2 })), undefined);
    assert.equal(ratesBetween(before, look(102_000, grown, { countedBy: "endpoints" })), undefined);
    assert.equal(ratesBetween(before, look(100_000, grown)), undefined);
  });

  test("are never negative: what went and came is counted from its return on", () => {
    const before = look(10_000, { a: { requests: 100, errors: 50 }, gone: { requests: 9, errors: 9 } });
    const after = look(11_000, { a: { requests: 4, errors: 1 }, added: { requests: 6, errors: 0 } });
    const rates = ratesBetween(before, after);
    assert.deepEqual([rates?.inbound.requestsPerSecond, rates?.inbound.errorShare], [10, 0.1]);
  });
});

test("percentiles lie within the bins that hold them", () => {
  const bins = [
    { from: 100, width: 10, count: 1 },
    { from: 1, width: 0.1, count: 99 },
  ];
  const near = (share: number): string | undefined => percentileOf(bins, share)?.toFixed(2);
  assert.deepEqual([near(0.5), near(0.99), near(0.995)], ["1.05", "1.10", "105.00"]);
  assert.equal(percentileOf([], 0.5), undefined);
  assert.equal(percentileOf([{ from: 0, width: 0, count: 0 }], 0.5), undefined);
});

describe("what is known look after look", () => {
  const seen = (found: Look) => ({ kind: "seen", look: found }) as const;

  test("a sidecar is measured from its second look on, and anew after a restart", () => {
    const first = afterLook(noHistory, new Map([["web", seen(look(10_000, {}))]]));
    const second = afterLook(first, new Map([["web", seen(look(11_000, {}))]]));
    const third = afterLook(second, new Map([["web", seen(look(12_000, {}, { uptimeSeconds: 0 }))]]));
    const fourth = afterLook(third, new Map([["web", seen(look(13_000, {}, { uptimeSeconds: 0 }))]]));
    const states = [first, second, third, fourth].map(({ rows }) => rows[0]?.state);
    assert.deepEqual(states, ["measuring", "measured", "measuring", "measured"]);
  });

  test("one that does not answer, or has ended, is a row that says so", () => {
    const first = afterLook(
      noHistory,
      new Map([
        ["web", seen(look(1_000, {}))],
        ["api", seen(look(1_000, {}))],
      ]),
    );
    const { rows } = afterLook(first, new Map([["web", { kind: "no answer", problem: "refused" }]]));
    assert.deepEqual(rows, [
      { name: "web", state: "no answer", problem: "refused" },
      { name: "api", state: "no answer", problem: "its agent has ended" },
    ]);
  });
});
