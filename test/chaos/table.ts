/** Rows as a Markdown table. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const lines = [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  console.log(`\n${lines.join("\n")}\n`);
}

/** One JSON line. */
export function printFigure(name: string, fields: object): void {
  console.log(JSON.stringify({ name, ...fields }));
}
