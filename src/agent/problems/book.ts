/**
 * Since when each problem lasts, and what the log is told of it: a pure step from one look to the next.
 */
import { type Moment, timeOf } from "../../lifecycle/moment.ts";
import type { FoundProblem, Problem } from "../../status/contract/problem.ts";

/** A problem that lasts. */
export interface LastingProblem {
  readonly found: FoundProblem;
  readonly since: Moment;
  /** When the log was last told, on the monotonic clock. */
  readonly toldMs: number;
}

/** By cause; two of one cause are one problem with the words of the newest. */
export type ProblemBook = ReadonlyMap<string, LastingProblem>;

/** A line of the log. */
export interface ProblemNews {
  readonly kind: "begins" | "lasts" | "over";
  readonly found: FoundProblem;
  readonly forMs: number;
}

/** Between two lines about a problem that lasts, in milliseconds. */
const againMs = 600_000;

/** The book after a look, and what is to be said. */
export function looked(
  book: ProblemBook,
  found: readonly FoundProblem[],
  now: Moment,
): { readonly book: ProblemBook; readonly news: readonly ProblemNews[] } {
  const news: ProblemNews[] = [];
  const { atMs: nowMs } = now;
  const next = new Map<string, LastingProblem>();
  for (const one of found) {
    const before = book.get(one.cause);
    if (before === undefined) {
      if (one.isTold !== true) news.push({ kind: "begins", found: one, forMs: 0 });
      next.set(one.cause, { found: one, since: now, toldMs: nowMs });
      continue;
    }
    const isDue = nowMs - before.toldMs >= againMs;
    if (isDue) news.push({ kind: "lasts", found: one, forMs: nowMs - before.since.atMs });
    next.set(one.cause, { ...before, found: one, toldMs: isDue ? nowMs : before.toldMs });
  }
  for (const [cause, { found: gone, since }] of book) {
    if (next.has(cause) || gone.isTold === true) continue;
    news.push({ kind: "over", found: gone, forMs: nowMs - since.atMs });
  }
  return { book: next, news };
}

/** What the report has of it, in the order in which it was found. */
export function problemsOf(book: ProblemBook, now: Moment): readonly Problem[] {
  return [...book.values()].map(({ found: { cause, reason, remedy }, since }) => ({
    cause,
    reason,
    ...(remedy === undefined ? {} : { remedy }),
    since: timeOf(since, now).toISOString(),
  }));
}
