/**
 * The beat of whatever is looked at now and then for as long as the agent lives.
 *
 * All of it happens at multiples of its interval on the process's own clock, and so together: to wake a process that
 * rests costs more than most looks.
 */
import { Timer } from "./timer.ts";

/** Between two looks where nothing gives cause for one, in milliseconds: all that rests has its looks together. */
export const restingMs = 10_000;

/** Milliseconds, or what says them before each wait. */
export type Interval = number | (() => number);

/** Waits for ticks, one after the other. */
export class TickWait {
  #wake = (): void => undefined;
  #isHastened = false;

  /** The wait that is under way, or the next one, ends at once. */
  hasten(): void {
    this.#isHastened = true;
    this.#wake();
  }

  /** Resolves at the next multiple of `everyMs`, when hastened, or when `signal` aborts. */
  async next(everyMs: number, signal: AbortSignal): Promise<void> {
    const onAbort = (): void => {
      this.#wake();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    if (!this.#isHastened && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = new Timer(tickDelayMs(performance.now(), everyMs), resolve);
        this.#wake = (): void => {
          timer.cancel();
          resolve();
        };
      });
    }
    this.#isHastened = false;
    signal.removeEventListener("abort", onAbort);
  }
}

/** Yields at each multiple of the interval until `signal` aborts. What takes longer than that misses ticks. */
export async function* ticks(
  every: Interval,
  signal: AbortSignal,
  wait: TickWait = new TickWait(),
): AsyncGenerator<void, void, undefined> {
  while (!signal.aborted) {
    await wait.next(intervalMs(every), signal);
    if (!signal.aborted) yield;
  }
}

/** Call `action` at each multiple of the interval until disposed. */
export function onTicks(every: Interval, action: () => void): Disposable {
  const next = (): Timer =>
    new Timer(tickDelayMs(performance.now(), intervalMs(every)), () => {
      try {
        action();
      } finally {
        if (!isOver) timer = next();
      }
    });
  let isOver = false;
  let timer = next();
  return {
    [Symbol.dispose]: () => {
      isOver = true;
      timer.cancel();
    },
  };
}

function intervalMs(every: Interval): number {
  return typeof every === "number" ? every : every();
}

/** From `now` to the next tick, in whole milliseconds: never before it, as a loop would then wake twice for one. */
export function tickDelayMs(now: number, everyMs: number): number {
  return Math.ceil(everyMs - (now % everyMs)) + 1;
}
