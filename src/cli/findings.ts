/**
 * Findings for people: aligned, wrapped to the terminal, coloured only there.
 */
import type { Finding, Verdict } from "../doctor/finding.ts";

/** How to draw. */
export interface FindingStyle {
  /** Width of the terminal; undefined does not wrap. */
  readonly columns: number | undefined;
  readonly colour: boolean;
  readonly tookMs: number;
}

const marks: Readonly<Record<Verdict, { readonly mark: string; readonly colour: number }>> = {
  ok: { mark: "✔", colour: 32 },
  warning: { mark: "▲", colour: 33 },
  failure: { mark: "✖", colour: 31 },
};

/** The findings, each with its remedy below it, and a line that counts them. */
export function findingLines(findings: readonly Finding[], style: FindingStyle): readonly string[] {
  const indent = Math.max(...findings.map(({ name }) => name.length)) + 4;
  const width = style.columns === undefined ? Infinity : Math.max(40, style.columns) - indent;
  const lines = findings.flatMap((finding) => {
    const [first = "", ...more] = wrap(finding.seen, width);
    const head = `${sign(finding.verdict, style)} ${finding.name.padEnd(indent - 2)}${first}`;
    const remedy = finding.verdict === "ok" ? [] : wrap(`→ ${finding.remedy}`, width);
    return [head, ...[...more, ...remedy].map((text) => `${" ".repeat(indent)}${text}`)];
  });
  return [...lines, "", summary(findings, style.tookMs)];
}

function sign(verdict: Verdict, { colour }: FindingStyle): string {
  const { mark, colour: code } = marks[verdict];
  return colour ? `\u001B[${code}m${mark}\u001B[0m` : mark;
}

function summary(findings: readonly Finding[], tookMs: number): string {
  const count = (verdict: Verdict): number =>
    findings.filter((finding) => finding.verdict === verdict).length;
  const plural = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;
  return (
    `${plural(count("failure"), "failure")}, ${plural(count("warning"), "warning")}, ` +
    `${count("ok")} ok in ${(tookMs / 1_000).toFixed(1)} s`
  );
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
