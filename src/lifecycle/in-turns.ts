/**
 * Long work in short turns: what else the process has to do waits no longer than one of them.
 */
import { setImmediate as nextTurn } from "node:timers/promises";

/** Work in one turn of the event loop, in milliseconds: proxies and signals wait no longer. */
const turnMs = 10;

/** Run work that stops now and then to its end. Rejects with what it throws. */
export async function inTurns<Result>(work: Generator<void, Result>): Promise<Result> {
  for (let endsAt = performance.now() + turnMs; ;) {
    const { done, value } = work.next();
    if (done === true) return value;
    if (performance.now() < endsAt) continue;
    await nextTurn();
    endsAt = performance.now() + turnMs;
  }
}

/** Run the same work to its end at once, where nobody else has a turn to wait for. Throws what it throws. */
export function atOnce<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
