/** Texts of sources, merged without any socket. */
import type { Format } from "../../src/scrape/formats/family.ts";
import { CheckedText } from "../../src/scrape/merge/checked-text.ts";
import { FamilyLedger } from "../../src/scrape/merge/family-ledger.ts";
import { LineBlock } from "../../src/scrape/merge/line-block.ts";
import { SampleRuns } from "../../src/scrape/merge/sample-runs.ts";
import { SeriesSet } from "../../src/scrape/merge/series-set.ts";
import type { SourceText } from "../../src/scrape/merge/source-text.ts";
import { Tally } from "../../src/scrape/merge/tally.ts";
import { TrustedText } from "../../src/scrape/merge/trusted-text.ts";

export interface MergeInput {
  readonly text: string | Buffer;
  readonly isTrusted?: boolean;
  readonly from?: Format;
  /** Lengths of the pieces in which it comes; in one unless given. */
  readonly pieces?: readonly number[];
  readonly maxSeries?: number;
}

export interface MergeOptions {
  readonly to?: Format;
  readonly isWanted?: (name: string) => boolean;
  readonly findsRepeated?: boolean;
  /** Each line is gone over by itself. */
  readonly isSlow?: boolean;
}

export interface Merged {
  readonly text: string;
  readonly bytes: Buffer;
  /** In how many it left. */
  readonly pieces: number;
  readonly tallies: readonly Tally[];
  readonly texts: readonly SourceText[];
}

export function merged(inputs: readonly MergeInput[], options: MergeOptions = {}): Merged {
  const { to = "text", isWanted = () => true, findsRepeated = false, isSlow = false } = options;
  const ledger = new FamilyLedger(to, isWanted);
  const series = findsRepeated ? new SeriesSet() : undefined;
  const runs = isSlow ? undefined : SampleRuns.open();
  const pieces: Uint8Array[] = [];
  const tallies: Tally[] = [];
  const texts: SourceText[] = [];
  for (const [index, input] of inputs.entries()) {
    const { text, isTrusted = false, from = "text", pieces: lengths = [], maxSeries = Infinity } = input;
    const tally = new Tally();
    const rules = { to, ledger, tally, maxSeries, runs };
    const source = isTrusted ? new TrustedText(rules) : new CheckedText({ ...rules, series, from });
    // Every other source is read to where it is gone over.
    const lines = new LineBlock(index % 2 === 0 ? runs?.blocks[0] : undefined);
    for (const chunk of cut(Buffer.from(text), lengths)) {
      for (const block of lines.add(landed(chunk, lines)))
        pieces.push(...source.take(block).map((piece) => Buffer.from(piece)));
      lines.release();
    }
    const rest = lines.rest();
    if (rest !== undefined) pieces.push(...source.take(rest));
    if (lines.skipped > 0) tally.drop("invalid", lines.skipped);
    tallies.push(tally);
    texts.push(source);
  }
  const bytes = Buffer.concat(pieces);
  return { text: bytes.toString("utf8"), bytes, pieces: pieces.length, tallies, texts };
}

/** What is read in one go at most. */
const mostRead = 262_144;

function landed(chunk: Buffer, { landing }: LineBlock): Buffer {
  chunk.copy(landing);
  return landing.subarray(0, chunk.length);
}

function cut(bytes: Buffer, lengths: readonly number[]): readonly Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const length of lengths) {
    if (at >= bytes.length) break;
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  for (; at < bytes.length; at += mostRead) chunks.push(bytes.subarray(at, at + mostRead));
  return chunks;
}
