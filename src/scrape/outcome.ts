/** What became of each source in this scrape, as metrics at its end: those of the agent were written before it was known. */
import type { Tally } from "./merge/tally.ts";
import type { SourceFailure } from "./source/failure.ts";
import type { Source } from "./source/open-source.ts";

/** One source. */
export interface Outcome {
  readonly source: Source;
  readonly tally: Tally;
  /** Undefined when it is whole. */
  readonly failure: SourceFailure | undefined;
  /** From the scrape's begin until its last byte. */
  readonly seconds: number;
}

const families: readonly (readonly [name: string, help: string, value: (outcome: Outcome) => number])[] = [
  [
    "outrider_scrape_up",
    "1 for a source whose metrics are all here.",
    ({ failure }) => (failure === undefined ? 1 : 0),
  ],
  ["outrider_scrape_duration_seconds", "Until the source was merged.", ({ seconds }) => seconds],
  ["outrider_scrape_samples", "Samples of the source that are here.", ({ tally }) => tally.samples],
  ["outrider_scrape_bytes", "What the source has answered.", ({ tally }) => tally.bytes],
];

/** Names of them, which no source may have. */
export const outcomeFamilies: readonly string[] = families.map(([name]) => name);

/** In the text format. */
export function outcomeText(outcomes: readonly Outcome[]): string {
  return families
    .map(
      ([name, help, value]) =>
        `# HELP ${name} ${help}\n# TYPE ${name} gauge\n` +
        outcomes.map((outcome) => `${name}{source="${outcome.source.name}"} ${value(outcome)}\n`).join(""),
    )
    .join("");
}
