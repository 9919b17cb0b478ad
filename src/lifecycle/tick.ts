/**
 * The beat of whatever is looked at now and then for as long as the agent lives.
 *
 * All of it happens at multiples of its interval on the process's own clock, and so together: to wake a process that
 * rests costs more than most looks.
 */
import { Timer } from "./timer.ts";

/** Yields at each multiple of `everyMs` until `signal` aborts. What takes longer than that misses ticks. */
export async function* ticks(everyMs: number, signal: AbortSignal): AsyncGenerator<void, void, undefined> {
  let wake = (): void => undefined;
  const onAbort = (): void => {
    wake();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    while (!signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = new Timer(tickDelayMs(performance.now(), everyMs), resolve);
        wake = (): void => {
          timer.cancel();
          resolve();
        };
      });
      if (!signal.aborted) yield;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Call `action` at each multiple of `everyMs` until disposed. */
export function onTicks(everyMs: number, action: () => void): Disposable {
  const next = (): Timer =>
    new Timer(tickDelayMs(performance.now(), everyMs), () => {
      timer = next();
      action();
    });
  let timer = next();
  return {
    [Symbol.dispose]: () => {
      timer.cancel();
    },
  };
}

/** From `now` to the next tick, in whole milliseconds: never before it, as a loop would then wake twice for one. */
export function tickDelayMs(now: number, everyMs: number): number {
  return Math.ceil(everyMs - (now % everyMs)) + 1;
}
