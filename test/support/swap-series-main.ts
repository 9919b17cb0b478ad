/** A series of swaps as a program. */
import { answerAsProgram } from "./namespaced-program.ts";
import { runSwapSeries } from "./swap-series.ts";

await answerAsProgram(runSwapSeries);
