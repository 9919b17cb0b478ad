/** Waiting for a machine that has nothing else to do: a start beside other work is a figure about that work. */
import { readFileSync } from "node:fs";
import { sleep } from "../../src/lifecycle/sleep.ts";

const windowMs = 300;
const idleShare = 0.9;

/** Resolves to true once the processors were idle for a moment, to false when they were not within `withinMs`. */
export async function machineIsQuiet(withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  do {
    const before = processorTimes();
    await sleep(windowMs);
    const after = processorTimes();
    if ((after.idle - before.idle) / (after.total - before.total) >= idleShare) return true;
  } while (performance.now() < deadline);
  return false;
}

/** In ticks, over all processors (proc(5), `/proc/stat`). */
function processorTimes(): { readonly idle: number; readonly total: number } {
  const [, ...fields] = (readFileSync("/proc/stat", "utf8").split("\n")[0] ?? "").split(/\s+/);
  const ticks = fields.map(Number);
  return { idle: (ticks[3] ?? 0) + (ticks[4] ?? 0), total: ticks.reduce((sum, value) => sum + value, 0) };
}
