/**
 * Tables as istioctl prints them: columns padded with spaces to their widest cell, nothing behind the last one. Pure.
 */
import { visible } from "./visible.ts";

/** @param padding least number of spaces between two columns */
export function table(cells: readonly (readonly string[])[], padding = 5): readonly string[] {
  const rows = cells.map((row) => row.map(visible));
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.slice(0, -1).entries())
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : cell.padEnd((widths[column] ?? 0) + padding),
      )
      .join("")
      .trimEnd(),
  );
}
