/** No request is lost to a swap, as far as its mode can promise that. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { describeLoad, mixedGroups } from "../../support/load/generator.ts";
import { inOwnNetwork, whyNoOwnNetwork } from "../../support/own-network.ts";
import { runSwapSeries, type SwapSeries, type SwapSeriesOptions } from "../../support/swap-series.ts";

/** Every swap has put another Envoy in the place of the one before, in that mode. */
function assertSwapped({ swaps, pids }: SwapSeries, mode: string): void {
  for (const { report } of swaps) {
    assert.ok(report.result === "swapped" && report.mode === mode, JSON.stringify(report));
  }
  assert.equal(new Set(pids).size, swaps.length + 1);
}

const program = join(import.meta.dirname, "../../support/swap-series-main.ts");

describe("a swap under load", { concurrency: 3 }, () => {
  // Twenty swaps and 200,000 requests are for `npm run chaos`.
  test("hot: swap after swap, requests on kept and new connections, HTTP/1.1 and HTTP/2, and none fails", async (context) => {
    const series = await runSwapSeries({ mode: "hot", swaps: 6, perSecond: 1_500 });
    context.diagnostic(`${series.swaps.length} swaps, ${describeLoad(series.load)}`);
    assertSwapped(series, "hot");
    assert.equal(series.load.failures.length, 0, describeLoad(series.load));
    assert.equal(series.load.raced.length, 0, describeLoad(series.load));
    for (const [kind, count] of Object.entries(series.load.okByKind)) assert.ok(count > 200, kind);
  });

  const noNetwork = whyNoOwnNetwork();
  test(
    "overlap: where the kernel hands waiting connections on (tcp_migrate_req), none fails",
    { skip: noNetwork ?? false },
    async (context) => {
      const series = await inOwnNetwork<SwapSeries>({
        sysctls: { "net.ipv4.tcp_migrate_req": 1 },
        program,
        options: { mode: "overlap", swaps: 5, perSecond: 1_500 } satisfies SwapSeriesOptions,
      });
      context.diagnostic(`${series.swaps.length} swaps, ${describeLoad(series.load)}`);
      assertSwapped(series, "overlap");
      assert.equal(series.load.failures.length, 0, describeLoad(series.load));
      assert.equal(series.load.raced.length, 0, describeLoad(series.load));
    },
  );

  test("cold: what is lost is only what came while no Envoy was there", async (context) => {
    const series = await runSwapSeries({ mode: "cold", swaps: 2, perSecond: 500, groups: mixedGroups(500) });
    context.diagnostic(`${series.swaps.length} swaps, ${describeLoad(series.load)}`);
    assertSwapped(series, "cold");
    assert.ok(series.load.failures.length > 0, "a cold swap that loses nothing was none");
    assert.deepEqual(
      series.load.failures.filter(({ phase }) => phase === "status" || phase === "timeout"),
      [],
    );
  });
});
