/**
 * Tables as istioctl prints them: columns padded with spaces to their widest cell, nothing behind the last one. Pure.
 */

/** @param padding least number of spaces between two columns */
export function table(rows: readonly (readonly string[])[], padding = 5): readonly string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...rows.map((row) => (column < row.length - 1 ? (row[column] ?? "").length : 0))),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : cell.padEnd((widths[column] ?? 0) + padding),
      )
      .join("")
      .trimEnd(),
  );
}
