/** What became of a source's lines. */

/** Why samples are left out. */
export const dropReasons = [
  /** They are no samples. */
  "invalid",
  /** A setting says so. */
  "filtered",
  /** The source has more series than it may. */
  "series_limit",
  /** There are more families than can be told apart. */
  "family_limit",
  /** Another source has the family as another type. */
  "type_conflict",
  /** OpenMetrics has a family once, and it has been written. */
  "repeated_family",
  /** Another application has the series. */
  "repeated_series",
] as const;

export type DropReason = (typeof dropReasons)[number];

/** In what families of several sources, or of one, contradict each other. */
export type ConflictKind = "type" | "help" | "family";

/** Counts of one source in one scrape. */
export class Tally {
  bytes = 0;
  samples = 0;
  readonly dropped = new Map<DropReason, number>();
  readonly conflicts = new Map<ConflictKind, number>();

  drop(reason: DropReason, count = 1): void {
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + count);
  }

  conflict(kind: ConflictKind): void {
    this.conflicts.set(kind, (this.conflicts.get(kind) ?? 0) + 1);
  }
}
