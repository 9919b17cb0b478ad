/**
 * Waiting that ends with a signal.
 */
import { Timer, type TimerOptions } from "./timer.ts";

/** Wait `ms` milliseconds, or less when `signal` aborts: the caller looks at it. Never rejects. */
export function sleep(ms: number, signal?: AbortSignal, options?: TimerOptions): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = new Timer(ms, done, options);
    signal?.addEventListener("abort", done, { once: true });
  });
}

/** Resolves once `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener(
      "abort",
      () => {
        resolve();
      },
      { once: true },
    );
  });
}
