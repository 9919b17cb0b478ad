/** Newcomers that crash after they are LIVE. */
import { crashAfterLive, crashes } from "../support/crash-after-live.ts";
import { describeSpread, summarize } from "../support/summary.ts";
import { printFigure, printTable } from "./table.ts";

/** Longest median time without an Envoy that answers, in milliseconds. */
const outageMs = 500;

/** False when the last good bootstrap did not serve soon enough. */
export async function measureCrashes({ rounds }: { readonly rounds: number }): Promise<boolean> {
  const rows: string[][] = [];
  let isWithin = true;
  for (const { mode, afterMs } of crashes) {
    const outages: number[] = [];
    for (let round = 0; round < rounds; round += 1)
      outages.push((await crashAfterLive(mode, afterMs)).outageMs);
    if (summarize(outages).median > outageMs) isWithin = false;
    rows.push([mode, `${afterMs} ms`, describeSpread(outages), `${outageMs} ms`]);
    printFigure(`crash ${mode}, ${afterMs} ms after LIVE`, { outageMs: summarize(outages) });
  }
  printTable(["mode", "crash after LIVE", "nobody served", "bound of the median"], rows);
  return isWithin;
}
