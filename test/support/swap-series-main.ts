/** A series of swaps as a program: SwapSeriesOptions as its argument, SwapSeries as its last line. */
import { runSwapSeries, type SwapSeriesOptions } from "./swap-series.ts";

const series = await runSwapSeries(JSON.parse(process.argv[2] ?? "{}") as SwapSeriesOptions);
process.stdout.write(`${JSON.stringify(series)}\n`);
