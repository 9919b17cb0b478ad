/**
 * The text of a source whose lines are right by construction: Envoy's.
 *
 * Only lines about families are looked at, and what lies between them passes as it came, without a copy. An Envoy's
 * label values may hold bytes of requests that are no UTF-8, which Prometheus refuses: such a line is left out.
 */
import { isUtf8 } from "node:buffer";
import { announced, type Format, metadataLines } from "../formats/family.ts";
import { readMetadataLine } from "../formats/metadata-line.ts";
import type { FamilyLedger } from "./family-ledger.ts";
import { Passage } from "./passage.ts";
import type { SampleRuns } from "./sample-runs.ts";
import type { SourceText } from "./source-text.ts";
import type { DropReason, Tally } from "./tally.ts";

const [newline, hash] = [10, 35];

/** How it is written, and what it shares with the other sources. */
export interface TextRules {
  readonly to: Format;
  readonly ledger: FamilyLedger;
  readonly tally: Tally;
  /** Samples that the source may have. */
  readonly maxSeries: number;
  /** Undefined where it cannot be had: then each line is gone over by itself. */
  readonly runs: SampleRuns | undefined;
}

/** Of one source in one scrape. */
export class TrustedText implements SourceText {
  readonly hasEnded = undefined;
  readonly isHopeless = false;
  readonly #rules: TextRules;
  #dropping: DropReason | undefined;
  #family: string | undefined;
  #help: { readonly name: string; readonly text: string } | undefined;

  constructor(rules: TextRules) {
    this.#rules = rules;
  }

  take(lines: Buffer): readonly Uint8Array[] {
    if (!isUtf8(lines)) return this.#takeEach(lines);
    const { runs } = this.#rules;
    const counting = runs?.put(lines, this) === true ? runs : undefined;
    const passage = new Passage(lines);
    let samples = 0;
    for (let at = nextLine(lines, 0); at >= 0; at = nextLine(lines, samples)) {
      passage.cut(this.#samples(lines, samples, at, counting), at);
      const end = lines.indexOf(newline, at) + 1;
      const line = lines.toString("latin1", at, end);
      const instead = this.#metadata(lines.toString("utf8", at, end - 1));
      if (instead !== line) passage.cut(at, end, instead);
      samples = end;
    }
    passage.cut(this.#samples(lines, samples, lines.length, counting), lines.length);
    return passage.pieces();
  }

  #takeEach(lines: Buffer): readonly Uint8Array[] {
    const pieces: Uint8Array[] = [];
    for (let from = 0; from < lines.length;) {
      const end = lines.indexOf(newline, from) + 1;
      const line = lines.subarray(from, end);
      if (isUtf8(line)) pieces.push(...this.take(line));
      else this.#rules.tally.drop("invalid");
      from = end;
    }
    return pieces;
  }

  /** Where those that pass end, of the samples between `from` and `end`. */
  #samples(lines: Buffer, from: number, end: number, counting: SampleRuns | undefined): number {
    const { tally, maxSeries } = this.#rules;
    const left = Math.max(0, maxSeries - tally.samples);
    let count = counting?.count(from, end) ?? 0;
    let limit = left === 0 ? from : end;
    if (counting === undefined || count > left) {
      count = 0;
      let at = lines.indexOf(newline, from);
      for (; at >= 0 && at < end; at = lines.indexOf(newline, at + 1)) {
        count += 1;
        if (count === left) limit = at + 1;
      }
    }
    if (this.#dropping !== undefined) {
      if (count > 0) tally.drop(this.#dropping, count);
      return from;
    }
    const kept = Math.min(count, left);
    tally.samples += kept;
    if (count > kept) tally.drop("series_limit", count - kept);
    return limit;
  }

  /** What is written instead of the line; undefined for nothing. */
  #metadata(text: string): string | undefined {
    const line = readMetadataLine(text, "text");
    if (line.kind === "help") {
      // It leaves with the type, as only then is known whether it may.
      this.#help = line;
      return undefined;
    }
    if (line.kind !== "type") return undefined;
    const { to, ledger, tally } = this.#rules;
    const { name, type } = line;
    if (name === this.#family) return undefined;
    this.#family = name;
    const help = this.#help?.name === name ? this.#help.text : undefined;
    const family = announced({ written: name, type, help, unit: undefined }, "text");
    const verdict = ledger.begin(family);
    this.#dropping = verdict.kind === "drop" ? verdict.reason : undefined;
    if (verdict.kind === "first") return metadataLines(family, to, verdict.type);
    if (verdict.conflict !== undefined) tally.conflict(verdict.conflict);
    return undefined;
  }
}

/** Where the next line with a `#` begins, at `from` or later; -1 for none. */
function nextLine(lines: Buffer, from: number): number {
  for (let at = lines.indexOf(hash, from); at >= 0; at = lines.indexOf(hash, at + 1))
    if (at === 0 || lines[at - 1] === newline) return at;
  return -1;
}
