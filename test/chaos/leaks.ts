/** What is left behind after many swaps in a row, with kills in between. */
import { runSwapLeaks, type SwapLeaksOptions } from "../support/swap-leaks.ts";
import { printFigure, printTable } from "./table.ts";

const modes: readonly SwapLeaksOptions["mode"][] = ["hot", "overlap", "cold"];

/** False when something was left behind. */
export async function measureLeaks({ swaps }: { readonly swaps: number }): Promise<boolean> {
  let isWithin = true;
  const runs = await Promise.all(
    modes.map(async (mode) => ({ mode, ...(await runSwapLeaks({ mode, swaps, killEvery: 10 })) })),
  );
  const rows = runs.map(({ mode, swapped, others, kills, leaks }) => {
    const left = [
      ...leaks.openFiles,
      ...leaks.paths,
      ...leaks.processes,
      ...leaks.sharedMemory,
      ...leaks.abstractSockets,
    ];
    if (swapped < swaps || left.length > 0 || leaks.zombies > 0) isWithin = false;
    if (others.length > 0) console.log(`${mode}: ${others.join(" ")}`);
    if (left.length > 0) console.log(`${mode} has left behind: ${left.join(" ")}`);
    printFigure(`leaks ${mode}`, {
      swaps: swapped,
      kills,
      left: left.length + leaks.zombies,
      recordings: leaks.recordings,
      grownMiB: leaks.grownMiB,
    });
    return [
      mode,
      `${swapped} of ${swaps}`,
      String(kills),
      String(left.length + leaks.zombies),
      String(leaks.recordings),
      `${leaks.grownMiB} MiB`,
    ];
  });
  printTable(["mode", "swaps", "kills", "left behind", "recordings kept", "grown"], rows);
  return isWithin;
}
