/**
 * The table of `outriderctl top` as lines of a terminal. Pure.
 */
import { fitted, wrapped } from "../../command/wrap.ts";
import { visible } from "../visible.ts";
import { type Column, columns as tableColumns, sorted } from "./columns.ts";
import type { SidecarRow } from "./history.ts";

/** What a reader has chosen. */
export interface Choice {
  /** Which column rows are sorted by, from 0. */
  readonly column: number;
  readonly isReversed: boolean;
  /** By how many rows the table is scrolled down. */
  readonly scrolled: number;
}

/** Who gets the most requests first. */
export const firstChoice: Choice = { column: 1, isReversed: false, scrolled: 0 };

/** The terminal. */
export interface Place {
  readonly columns: number;
  /** Undefined where all rows are shown. */
  readonly rows: number | undefined;
  readonly colour: boolean;
}

const colors = { bold: 1, dim: 2, red: 31 } as const;

/** Between two columns. */
const gap = " ";

/** Most of a line that names have. */
const widestName = 60;

const advice =
  "P50 and P99 need statistics that an Envoy keeps with this annotation only: " +
  "sidecar.istio.io/statsInclusionRegexps: http\\.(in|out)bound_.*\\.downstream_rq_(completed|5xx|time)";

/** How far a table of so many rows can be scrolled down. */
export function mostScrolled(rows: readonly SidecarRow[], place: Place): number {
  return place.rows === undefined ? 0 : Math.max(0, rows.length - room(rows, place.columns, place.rows));
}

/** As many lines as there are rows at most, none longer than the terminal is wide. */
export function drawTop(rows: readonly SidecarRow[], choice: Choice, place: Place): readonly string[] {
  const { columns, colour } = place;
  const paint = (text: string, color: keyof typeof colors): string =>
    colour ? `\u001B[${colors[color]}m${text}\u001B[0m` : text;
  const nameWidth = nameWidthOf(rows, columns);
  const from = Math.min(choice.scrolled, mostScrolled(rows, place));
  const list = sorted(rows, choice.column, choice.isReversed);
  const shown = place.rows === undefined ? list : list.slice(from, from + room(rows, columns, place.rows));
  const lines = [
    paint(fitted(heading(nameWidth, choice), columns), "bold"),
    ...shown.map((row) => {
      const line = cut(lineOf(row, nameWidth), columns);
      if (row.state === "no answer") return paint(line, "red");
      return row.state === "measuring" ? paint(line, "dim") : line;
    }),
  ];
  if (place.rows === undefined) return lines;
  return [
    paint(fitted(summary(rows, shown.length), columns), "bold"),
    ...lines,
    ...footer(rows, columns).map((line) => paint(fitted(line, columns), "dim")),
  ].slice(0, place.rows);
}

/** What to do for latencies, where an Envoy keeps none; undefined where each does. */
export function latencyAdvice(rows: readonly SidecarRow[]): string | undefined {
  const without = rows.filter(({ keepsLatencies }) => keepsLatencies === false).length;
  return without === 0 ? undefined : `${without} of ${rows.length}: ${advice}`;
}

function room(rows: readonly SidecarRow[], columns: number, height: number): number {
  return Math.max(1, height - 2 - footer(rows, columns).length);
}

function summary(rows: readonly SidecarRow[], shown: number): string {
  const silent = rows.filter(({ state }) => state === "no answer").length;
  const total = (direction: "inbound" | "outbound"): string =>
    rows.reduce((sum, row) => sum + (row[direction]?.requestsPerSecond ?? 0), 0).toFixed(1);
  return [
    `${rows.length} sidecar${rows.length === 1 ? "" : "s"}`,
    `${total("inbound")}/s in`,
    `${total("outbound")}/s out`,
    ...(silent === 0 ? [] : [`${silent} without an answer`]),
    ...(shown < rows.length ? [`${shown} shown: ↑ ↓`] : []),
  ].join(", ");
}

function footer(rows: readonly SidecarRow[], columns: number): readonly string[] {
  const needed = latencyAdvice(rows);
  const advised = needed === undefined ? [] : wrapped(needed, columns);
  return ["", "← → sort by, r reverse, ↑ ↓ scroll, q end", ...advised];
}

function nameWidthOf(rows: readonly SidecarRow[], columns: number): number {
  const others = tableColumns.slice(1).reduce((sum, { width }) => sum + gap.length + width, 0);
  const longest = Math.max("NAME".length + 1, ...rows.map(({ name }) => visible(name).length));
  return Math.max(8, Math.min(longest, widestName, columns - others));
}

function heading(nameWidth: number, { column, isReversed }: Choice): string {
  const title = ({ title: text }: Column, index: number): string =>
    index === column ? `${isReversed === (index === 0) ? "▼" : "▲"}${text}` : text;
  return tableColumns
    .map((one, index) =>
      index === 0 ? title(one, index).padEnd(nameWidth) : title(one, index).padStart(one.width),
    )
    .join(gap)
    .trimEnd();
}

function lineOf(row: SidecarRow, nameWidth: number): string {
  const name = cut(visible(row.name), nameWidth).padEnd(nameWidth);
  if (row.state === "no answer") return `${name}${gap}${visible(row.problem ?? "no answer")}`;
  return [name, ...tableColumns.slice(1).map(({ cell }) => cell(row))].join(gap);
}

/** A name or a row is cut where it must be, not between words. */
function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
