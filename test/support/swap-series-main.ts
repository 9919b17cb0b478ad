/** A series of swaps as a program. */
import { answerAsProgram } from "./own-network.ts";
import { runSwapSeries } from "./swap-series.ts";

await answerAsProgram(runSwapSeries);
