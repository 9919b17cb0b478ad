/** What two subjects of one run are to each other: that says something on a busy machine, too. */
import { summarize } from "../support/summary.ts";
import type { Figure } from "./figure.ts";

/** Two subjects that were measured in turns. */
export interface Rivals {
  readonly ours: string;
  readonly theirs: string;
}

/** A Markdown table of all figures that both have, by their medians. */
export function ratioTable(figures: readonly Figure[], rivals: readonly Rivals[]): string {
  const rows = rivals.flatMap(({ ours, theirs }) =>
    figures
      .filter(({ subject }) => subject === ours)
      .flatMap(({ name, unit, values }) => {
        const other = figures.find((figure) => figure.name === name && figure.subject === theirs);
        if (other === undefined) return [];
        const [our, their] = [summarize(values).median, summarize(other.values).median];
        const amounts = [our, their].map((value) => `${value.toPrecision(3)} ${unit}`);
        return [[name, `${ours} / ${theirs}`, ...amounts, (our / their).toFixed(2)]];
      }),
  );
  const header = ["figure", "of", "ours", "theirs", "ratio"];
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
