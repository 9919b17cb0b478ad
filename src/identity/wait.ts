/**
 * Waiting for a moment of the wall clock.
 */
import { sleep } from "../lifecycle/sleep.ts";

/** Longest single sleep: timers stop while a machine is suspended and overflow at 25 days, the clock does neither. */
const longestSleepMs = 60_000;

/** Resolves at `timeMs` by `now`, or when `signal` aborts. */
export async function sleepUntil(timeMs: number, now: () => Date, signal: AbortSignal): Promise<void> {
  const restMs = (): number => timeMs - now().getTime();
  for (let rest = restMs(); rest > 0 && !signal.aborted; rest = restMs()) {
    await sleep(Math.min(rest, longestSleepMs), signal);
  }
}
