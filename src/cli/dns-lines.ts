/** The lines of `outrider dns`. */
import type { Explanation, NameExplanation } from "../dns/report/explanation.ts";

/** What was tried, in order, and where all of it comes from. */
export function explanationLines(explanation: Explanation): readonly string[] {
  const { hasTable, tableAsOf, servers, search, ndots, tried } = explanation;
  const kept = tableAsOf === undefined ? "there" : `from the cache, of ${tableAsOf}`;
  return [
    ...tried.flatMap(linesOfOne),
    `name table: ${hasTable ? kept : "none has come yet"}; upstream servers: ${servers.join(" ") || "none"}; ` +
      `search: ${search.join(" ") || "none"}; ndots: ${ndots}`,
  ];
}

function linesOfOne({ name, type, records, code, tries = [], ...one }: NameExplanation): readonly string[] {
  const said =
    records.length > 0 ? `${records.length} of ${type}` : code === "NOERROR" ? "none, and no error" : code;
  return [
    `${name}: ${said}, from ${source(one)}`,
    ...records.map((record) => `  ${record}`),
    ...tries.map(
      ({ upstream, protocol, outcome, tookMs }) =>
        `  ${upstream} over ${protocol.toUpperCase()}: ${outcome} after ${Math.round(tookMs)} ms`,
    ),
  ];
}

function source({
  from,
  rule,
  entry,
  target,
}: Pick<NameExplanation, "from" | "rule" | "entry" | "target">): string {
  const known = entry === undefined ? "" : ` (the table has ${entry}, so the name exists)`;
  if (from === "upstream") return `an upstream server${known}`;
  if (from === "nobody") return "nobody";
  const by = rule === undefined ? "" : ` by its ${rule}`;
  const of = entry === undefined ? "" : `, entry ${entry}`;
  return `the name table${by}${of}${target === undefined ? "" : `, with a CNAME to ${target}`}`;
}
