/**
 * An end that nothing can hold up: what was to be done is done, and what closes after it has a deadline.
 */
import { Timer } from "./timer.ts";

/**
 * Resolves with `whole`, which ends with the closing of its parts; or, once `done` is settled, `ms` milliseconds
 * later, when something does not close.
 *
 * @param done never rejects
 * @throws what `whole` throws in time
 */
export async function closeWithin<T>(
  whole: Promise<T>,
  done: Promise<T>,
  ms: number,
  onOverdue: () => void,
): Promise<T> {
  const { promise: overdue, resolve } = Promise.withResolvers<T>();
  const closed = new AbortController();
  void done.then((result) => {
    if (closed.signal.aborted) return;
    const timer = new Timer(ms, () => {
      onOverdue();
      resolve(result);
    });
    closed.signal.addEventListener("abort", () => {
      timer.cancel();
    });
  });
  try {
    return await Promise.race([whole, overdue]);
  } finally {
    closed.abort();
  }
}
