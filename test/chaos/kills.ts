/** Envoys killed at random moments, in each mode. */
import { type KillStormOptions, runKillStorm } from "../support/kill-storm.ts";
import { describeSpread, summarize } from "../support/summary.ts";
import { printFigure, printTable } from "./table.ts";

const modes: readonly KillStormOptions["mode"][] = ["hot", "overlap", "cold"];

/** False when readiness was wrong, a restart took too long, or something was left behind. */
export async function measureKills({ kills }: { readonly kills: number }): Promise<boolean> {
  const rows: string[][] = [];
  let isWithin = true;
  for (const mode of modes) {
    const storm = await runKillStorm({ mode, kills, duringSwaps: 0.3 });
    const { leaks, plain, backMs, swaps } = storm;
    const red = plain.flatMap(({ redMs }) => redMs ?? []);
    const serving = plain.map(({ servingMs }) => servingMs);
    const wrong = plain.reduce((sum, { wronglyGreen }) => sum + wronglyGreen, storm.failedWhileGreen);
    const left = [
      ...leaks.openFiles,
      ...leaks.paths,
      ...leaks.processes,
      ...leaks.sharedMemory,
      ...leaks.abstractSockets,
    ];
    if (wrong > 0 || left.length > 0 || leaks.zombies > 0 || summarize(serving).median > 500)
      isWithin = false;
    rows.push([
      mode,
      String(storm.kills),
      JSON.stringify(swaps),
      describeSpread(red),
      describeSpread(serving),
      describeSpread(backMs),
      String(wrong),
      String(left.length + leaks.zombies),
    ]);
    if (left.length > 0) console.log(`${mode} has left behind: ${left.join(" ")}`);
    printFigure(`kills ${mode}`, {
      kills: storm.kills,
      swaps,
      unreadyMs: summarize(red),
      servingMs: summarize(serving),
      backMs: summarize(backMs),
      wrong,
      left: left.length + leaks.zombies,
      grownMiB: leaks.grownMiB,
    });
  }
  printTable(
    [
      "mode",
      "kills",
      "swaps",
      "death to unready",
      "to the next answer",
      "back",
      "wrong readiness",
      "left behind",
    ],
    rows,
  );
  return isWithin;
}
