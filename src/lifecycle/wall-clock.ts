/**
 * The wall clock beside the monotonic one.
 *
 * What is waited for goes by the monotonic clock, which nobody sets. Whether something is valid goes by the wall
 * clock, and has to be looked at again when that was set, either way, or the machine was suspended.
 */
import { sleep } from "./sleep.ts";
import { restingMs, tickDelayMs, ticks } from "./tick.ts";

/** A smaller step is what keeping time looks like, and no reason to look at anything. */
export const toleratedMs = 2_000;

/** Notices that the wall clock was set. */
export class ClockJumps {
  readonly #now: () => Date;
  #offset: number;

  /** @param now the wall clock */
  constructor(now: () => Date) {
    this.#now = now;
    this.#offset = this.#difference();
  }

  /** Milliseconds that it was set ahead since this was last asked, or back when negative; 0 is neither. */
  take(): number {
    const difference = this.#difference();
    const byMs = difference - this.#offset;
    if (Math.abs(byMs) <= toleratedMs) return 0;
    this.#offset = difference;
    return byMs;
  }

  #difference(): number {
    return this.#now().getTime() - performance.now();
  }
}

/** Yields soon after each time that the wall clock was set, until `signal` aborts. */
export async function* clockJumps(
  now: () => Date,
  signal: AbortSignal,
): AsyncGenerator<number, void, undefined> {
  const jumps = new ClockJumps(now);
  for await (const _ of ticks(restingMs, signal)) {
    const byMs = jumps.take();
    if (byMs !== 0) yield byMs;
  }
}

/** Wait `ms` milliseconds, or until the wall clock is set: true. An abort of `signal` ends it, too. */
export async function sleepUnlessSet(ms: number, now: () => Date, signal: AbortSignal): Promise<boolean> {
  const jumps = new ClockJumps(now);
  const end = performance.now() + ms;
  for (;;) {
    const at = performance.now();
    if (at >= end || signal.aborted) return false;
    await sleep(Math.min(end - at, tickDelayMs(at, restingMs)), signal);
    if (jumps.take() !== 0) return true;
  }
}

/**
 * Wait as long as `plan` says, by the monotonic clock. When the wall clock is set, `plan` is asked again, which can
 * only make the wait shorter: what was a good time for it remains one.
 *
 * @param plan milliseconds from that moment of the wall clock
 * @param onChange hears of a wait that got shorter, with what is left of it
 */
export async function sleepAsPlanned(
  plan: (now: Date) => number,
  now: () => Date,
  signal: AbortSignal,
  onChange: (restMs: number) => void = () => undefined,
): Promise<void> {
  let end = performance.now() + plan(now());
  while (await sleepUnlessSet(end - performance.now(), now, signal)) {
    const replanned = performance.now() + plan(now());
    if (replanned >= end) continue;
    end = replanned;
    onChange(Math.max(0, end - performance.now()));
  }
}

/** How old what a file's time tells is, in milliseconds: nothing is younger than now, whatever was set since. */
export function fileAgeMs(mtimeMs: number): number {
  return Math.max(0, Date.now() - mtimeMs);
}
