/**
 * Since when each problem lasts, and what the log is told of it: a pure step from one look to the next.
 */
import type { FoundProblem, Problem } from "../../status/contract/problem.ts";

/** A problem that lasts. */
export interface LastingProblem {
  readonly found: FoundProblem;
  /** By the wall clock, for people. */
  readonly since: Date;
  /** On the monotonic clock, in milliseconds. */
  readonly sinceMs: number;
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

/**
 * The book after a look, and what is to be said.
 *
 * @param now the wall clock
 * @param nowMs the monotonic clock, in milliseconds
 */
export function looked(
  book: ProblemBook,
  found: readonly FoundProblem[],
  now: Date,
  nowMs: number,
): { readonly book: ProblemBook; readonly news: readonly ProblemNews[] } {
  const news: ProblemNews[] = [];
  const next = new Map<string, LastingProblem>();
  for (const one of found) {
    const before = book.get(one.cause);
    if (before === undefined) {
      if (one.isTold !== true) news.push({ kind: "begins", found: one, forMs: 0 });
      next.set(one.cause, { found: one, since: now, sinceMs: nowMs, toldMs: nowMs });
      continue;
    }
    const isDue = nowMs - before.toldMs >= againMs;
    if (isDue) news.push({ kind: "lasts", found: one, forMs: nowMs - before.sinceMs });
    next.set(one.cause, { ...before, found: one, toldMs: isDue ? nowMs : before.toldMs });
  }
  for (const [cause, { found: gone, sinceMs }] of book) {
    if (next.has(cause) || gone.isTold === true) continue;
    news.push({ kind: "over", found: gone, forMs: nowMs - sinceMs });
  }
  return { book: next, news };
}

/** What the report has of it, in the order in which it was found. */
export function problemsOf(book: ProblemBook): readonly Problem[] {
  return [...book.values()].map(({ found: { cause, reason, remedy }, since }) => ({
    cause,
    reason,
    ...(remedy === undefined ? {} : { remedy }),
    since: since.toISOString(),
  }));
}
