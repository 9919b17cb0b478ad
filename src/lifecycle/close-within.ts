/**
 * An end that nothing can hold up: what was to be done is done, and what closes after it has a deadline.
 */
import { sleep } from "./sleep.ts";

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
  const closed = new AbortController();
  const overdue = async (): Promise<T> => {
    const result = await done;
    await sleep(ms, closed.signal);
    if (!closed.signal.aborted) onOverdue();
    return result;
  };
  try {
    return await Promise.race([whole, overdue()]);
  } finally {
    closed.abort();
  }
}
