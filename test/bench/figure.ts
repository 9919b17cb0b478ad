/** A figure: what was measured, how often, and what it is compared with. */

import { summarize } from "../support/summary.ts";

export interface Figure {
  readonly name: string;
  readonly unit: "ms" | "MiB" | "%" | "/s" | "MB/s";
  /** Who was measured: the release, or a baseline of the same run. */
  readonly subject: string;
  readonly values: readonly number[];
  /** What the release should not exceed. */
  readonly aim?: number;
}

/** The figures as a Markdown table, a row each. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, unit, subject, values, aim }) => {
    const { median, min, max } = summarize(values);
    const digits = unit === "ms" ? (median < 10 ? 2 : 0) : unit === "MiB" ? 1 : unit === "/s" ? 0 : 2;
    const [middle = "", low = "", high = ""] = [median, min, max].map((value) => value.toFixed(digits));
    return [name, subject, `${middle} ${unit}`, `${low}–${high}`, aim === undefined ? "" : `${aim} ${unit}`];
  });
  const header = ["figure", "of", "median", "min–max", "aim"];
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Each figure's median beside the one of `baseline`, where that is not nothing: a Markdown table. */
export function ratios(figures: readonly Figure[], baseline: string): string {
  const medians = new Map(
    figures.flatMap(({ name, subject, values }) =>
      subject === baseline ? [[name, summarize(values).median]] : [],
    ),
  );
  const rows = figures.flatMap(({ name, subject, values }) => {
    const median = medians.get(name) ?? 0;
    if (subject === baseline || median === 0) return [];
    return [[name, `${(summarize(values).median / median).toFixed(2)} ×`, subject]];
  });
  const header = ["figure", `beside ${baseline}`, "of"];
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** One JSON line. */
export function jsonLine(figure: Figure): string {
  const { median, min, max, runs } = summarize(figure.values);
  const { name, unit, subject, aim } = figure;
  return JSON.stringify({
    name,
    subject,
    unit,
    median,
    min,
    max,
    runs,
    ...(aim === undefined ? {} : { aim }),
  });
}
