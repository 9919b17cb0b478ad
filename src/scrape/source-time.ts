/**
 * How long the source that is being written may take while others wait for their turn.
 *
 * Nearly all that is left: an application that is slow to say what it knows is worth waiting for when all others are done.
 * What is kept for each of the others is what it takes to write a source that has been ready for long.
 */
import type { Source } from "./source/open-source.ts";

/** Shares of the whole time: Envoy has the most to say. */
const kept: Readonly<Record<Source["type"], number>> = { envoy: 0.2, application: 0.05 };

/** In milliseconds; never less than what each would have if all had the same. @param others those that are still to come */
export function sourceTimeMs(leftMs: number, budgetMs: number, others: readonly Source["type"][]): number {
  const left = Math.max(0, leftMs);
  const forOthers = others.reduce((sum, type) => sum + kept[type] * budgetMs, 0);
  return Math.max(left - forOthers, left / (others.length + 1));
}
