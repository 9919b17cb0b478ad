/**
 * The columns of `outriderctl top`, and the order of rows by each. Pure.
 */
import type { SidecarRow } from "./history.ts";

/** One column. */
export interface Column {
  readonly title: string;
  /** Of its cells, in characters; the first column takes what the others leave. */
  readonly width: number;
  readonly cell: (row: SidecarRow) => string;
  /** What rows are sorted by, largest first; names are sorted by their letters. */
  readonly rank: (row: SidecarRow) => number | undefined;
}

const none = "-";

function numberColumn(
  title: string,
  width: number,
  value: (row: SidecarRow) => number | undefined,
  shown: (value: number) => string,
): Column {
  return {
    title,
    width,
    rank: value,
    cell: (row) => {
      const found = value(row);
      return (found === undefined ? none : shown(found)).padStart(width);
    },
  };
}

/** Requests to the application, then those from it. */
export const columns: readonly Column[] = [
  { title: "NAME", width: 0, cell: ({ name }) => name, rank: () => undefined },
  ...(["inbound", "outbound"] as const).flatMap((direction) => {
    const word = direction === "inbound" ? "IN" : "OUT";
    return [
      numberColumn(`${word}/s`, 7, (row) => row[direction]?.requestsPerSecond, rate),
      numberColumn("ERR%", 5, (row) => row[direction]?.errorShare, percent),
      numberColumn("P50", 6, (row) => row[direction]?.p50Ms, duration),
      numberColumn("P99", 6, (row) => row[direction]?.p99Ms, duration),
    ];
  }),
];

/** The most of what the column has comes first; who has nothing of it comes last, reversed or not. */
export function sorted(
  rows: readonly SidecarRow[],
  column: number,
  isReversed: boolean,
): readonly SidecarRow[] {
  const rank = columns[column]?.rank ?? (() => undefined);
  const sign = isReversed ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    if (left !== right) {
      if (left === undefined) return 1;
      if (right === undefined) return -1;
      return (right - left) * sign;
    }
    const byName = a.name < b.name ? -1 : 1;
    return column === 0 ? byName * sign : byName;
  });
}

function rate(perSecond: number): string {
  if (perSecond >= 100_000) return `${Math.round(perSecond / 1_000)}k`;
  return perSecond >= 1_000 ? String(Math.round(perSecond)) : perSecond.toFixed(1);
}

function percent(share: number): string {
  return share > 0 && share < 0.001 ? "<0.1" : (share * 100).toFixed(share === 1 ? 0 : 1);
}

function duration(ms: number): string {
  // Envoy counts whole ones.
  if (ms < 1) return "<1ms";
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)}ms`;
  return ms < 100_000 ? `${(ms / 1_000).toFixed(1)}s` : `${Math.round(ms / 60_000)}min`;
}
