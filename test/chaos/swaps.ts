/** Swap after swap in each mode, under load. */
import { join } from "node:path";
import { describeLoad } from "../support/load/generator.ts";
import { mostLost } from "../support/overlap-loss.ts";
import { inOwnNetwork } from "../support/own-network.ts";
import { describeSpread, summarize } from "../support/summary.ts";
import type { SwapSeries, SwapSeriesOptions } from "../support/swap-series.ts";
import { printFigure, printTable } from "./table.ts";

const program = join(import.meta.dirname, "../support/swap-series-main.ts");

interface Series {
  readonly name: string;
  readonly mode: SwapSeriesOptions["mode"];
  readonly migrates: boolean;
  /** More swaps follow until there were so many requests. */
  readonly leastRequests?: number;
  /** Most failed requests of all; undefined where a loss is the nature of the mode. */
  readonly mayFail: (total: number) => number | undefined;
}

const all: readonly Series[] = [
  { name: "hot", mode: "hot", migrates: false, leastRequests: 200_000, mayFail: () => 0 },
  { name: "overlap", mode: "overlap", migrates: false, mayFail: mostLost },
  { name: "overlap, tcp_migrate_req", mode: "overlap", migrates: true, mayFail: () => 0 },
  { name: "cold", mode: "cold", migrates: false, mayFail: () => undefined },
];

/** False when a mode has lost more than it may. */
export async function measureSwaps(plan: {
  readonly swaps: number;
  readonly perSecond: number;
}): Promise<boolean> {
  const rows: string[][] = [];
  let isWithin = true;
  for (const { name, mode, migrates, leastRequests, mayFail } of all) {
    const { swaps, load } = await inOwnNetwork<SwapSeries>({
      sysctls: { "net.ipv4.tcp_migrate_req": migrates ? 1 : 0 },
      program,
      options: {
        ...plan,
        mode,
        ...(leastRequests === undefined ? {} : { leastRequests }),
      } satisfies SwapSeriesOptions,
    });
    const failed = load.failures.length + load.raced.length;
    const aim = mayFail(load.total);
    const done = swaps.filter(({ report }) => report.result === "swapped").length;
    if (done < swaps.length || (aim !== undefined && failed > aim)) isWithin = false;
    const swapMs = swaps.map(({ tookMs }) => tookMs);
    rows.push([
      name,
      `${done} of ${swaps.length}`,
      `${failed} of ${load.total}`,
      aim === undefined ? "" : String(aim),
      describeSpread(swapMs),
      `${Math.round(load.slowestMs)} ms`,
      `${Math.round(load.longestSilenceMs)} ms`,
    ]);
    if (failed > 0) console.log(`${name}: ${describeLoad(load)}`);
    printFigure(`swap ${name}`, {
      swaps: done,
      failed,
      total: load.total,
      slowestMs: Math.round(load.slowestMs),
      longestSilenceMs: Math.round(load.longestSilenceMs),
      swapMs: summarize(swapMs),
      ...(aim === undefined ? {} : { aim }),
    });
  }
  printTable(
    ["mode", "swaps", "failed requests", "aim", "a swap took", "slowest request", "longest silence"],
    rows,
  );
  return isWithin;
}
