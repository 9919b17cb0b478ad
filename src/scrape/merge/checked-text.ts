/**
 * The text of a source that may write anything: an application's.
 *
 * Each line is read. One that Prometheus would refuse is left out, as it would cost everything else of the scrape; one that
 * is meant well is written as it should be; and all the others, which are most of them, pass as they came, without a copy.
 */
import { isUtf8 } from "node:buffer";
import { announced, type Family, type Format, metadataLines, sampleNames } from "../formats/family.ts";
import { readMetadataLine } from "../formats/metadata-line.ts";
import { readSample, sampleText } from "../formats/sample-line.ts";
import { SampleScanner } from "../formats/sample-scanner.ts";
import { Passage } from "./passage.ts";
import type { SampleRuns } from "./sample-runs.ts";
import type { SeriesSet } from "./series-set.ts";
import type { SourceText } from "./source-text.ts";
import type { DropReason } from "./tally.ts";
import type { TextRules } from "./trusted-text.ts";

const [newline, hash, opening] = [10, 35, 123];

/** Longest name that is compared with the one before, in bytes; `SampleScanner` reads any. */
const longestName = 256;
const familyName = /^[a-zA-Z_:][\w:]*$/;

/** Where things are in a line of a sample. */
type LineParts = Pick<SampleScanner, "isLastName" | "nameEnd" | "seriesEnd">;

/** A source that has written this many lines that are none, and more of them than samples, writes no exposition. */
const hopelessAfter = 1_000;

/** The same of one that has written this many lines that say nothing or only announce, and so many for each sample. */
const idle = { lines: 100_000, forSample: 10 } as const;

export interface CheckedRules extends TextRules {
  readonly from: Format;
  /** Those of all sources that may have the same ones; undefined does not look. */
  readonly series: SeriesSet | undefined;
}

/** The family whose samples are being written. */
interface Group {
  /** As its lines of metadata call it. */
  readonly written: string;
  readonly names: ReadonlySet<string>;
  readonly drop: DropReason | undefined;
  /** As which it is written. */
  readonly type: Family["type"];
}

/** Of one source in one scrape. */
export class CheckedText implements SourceText {
  readonly #rules: CheckedRules;
  readonly #scanner = new SampleScanner();
  #announced: { written: string; lines: Map<string, string> } | undefined;
  #group: Group | undefined;
  /** The group that the shape is of which lines are gone over by; undefined without one. */
  #shaped: Group | undefined;
  #hasEnded = false;
  /** Lines that are empty or begin with a hash. */
  #idleLines = 0;

  constructor(rules: CheckedRules) {
    this.#rules = rules;
  }

  get hasEnded(): boolean | undefined {
    return this.#rules.from === "openmetrics" ? this.#hasEnded : undefined;
  }

  get isHopeless(): boolean {
    const { samples, dropped } = this.#rules.tally;
    const invalid = dropped.get("invalid") ?? 0;
    if (invalid >= hopelessAfter && invalid > samples) return true;
    if (this.#idleLines < idle.lines) return false;
    const left = dropped.values().reduce((sum, count) => sum + count, 0) - invalid;
    return this.#idleLines > idle.forSample * (samples + left);
  }

  take(lines: Buffer): readonly Uint8Array[] {
    const passage = new Passage(lines);
    const isText = isUtf8(lines);
    const scanner = this.#scanner;
    const runs = isText && this.#rules.runs?.put(lines, this) === true ? this.#rules.runs : undefined;
    if (runs?.isShaped !== true) this.#shaped = undefined;
    scanner.forget();
    let at = 0;
    /** Where the lines begin that announce the family of the next sample; they leave with it. */
    let held = 0;
    while (at < lines.length && !this.#hasEnded) {
      if (lines[at] === newline) {
        passage.cut(held, at);
        const from = at;
        while (lines[at] === newline) at += 1;
        this.#idleLines += at - from;
        passage.cut(from, at);
        held = at;
        continue;
      }
      if (lines[at] === hash) {
        const end = lines.indexOf(newline, at) + 1;
        this.#comment(lines.subarray(at, end));
        at = end;
        continue;
      }
      if (runs !== undefined && held === at) {
        const end = this.#run(lines, at, runs, passage);
        if (end > at) {
          at = end;
          held = end;
          continue;
        }
      }
      const like = runs === undefined || held === at ? undefined : this.#like(lines, at, runs);
      const next = like === undefined ? (isText ? scanner.scan(lines, at) : -1) : like.end;
      const end = next < 0 ? lines.indexOf(newline, at) + 1 : next;
      const { before, isKept } =
        next < 0 ? this.#any(lines.subarray(at, end)) : this.#usual(lines, at, like ?? scanner);
      // Most of what is announced may stay as it is, and is not taken out.
      const isAsHeld = isKept && held < at && passage.isAt(before, held, at);
      if (!isAsHeld) passage.cut(held, isKept ? at : end, before);
      if (like !== undefined) {
        this.#shaped = this.#group;
      } else if (next >= 0 && runs !== undefined && scanner.isLastName) {
        runs.shape(scanner.parts(at), scanner.nameEnd - at);
        this.#shaped = this.#group;
      }
      at = end;
      held = end;
    }
    passage.cut(held, lines.length);
    return passage.pieces();
  }

  /** The first line of a family that was announced, where all but its name is as in the lines of the one before. */
  #like(lines: Buffer, at: number, runs: SampleRuns): (LineParts & { readonly end: number }) | undefined {
    if (this.#announced === undefined || this.#shaped === undefined) return undefined;
    const nameEnd = at + lines.subarray(at, at + longestName).indexOf(opening);
    if (nameEnd <= at || !familyName.test(lines.toString("latin1", at, nameEnd))) return undefined;
    // What it was is not known any more.
    this.#shaped = undefined;
    if (!runs.rename(at, nameEnd)) return undefined;
    const end = runs.run(at, 1);
    if (end === at) return undefined;
    this.#scanner.forgetName();
    return { isLastName: false, nameEnd, seriesEnd: runs.series(0)[1], end };
  }

  /** Where those lines end, at `from` or later, that have the shape of one of the group's that was read. */
  #run(lines: Buffer, from: number, runs: SampleRuns, passage: Passage): number {
    if (this.#announced !== undefined || this.#shaped === undefined || this.#shaped !== this.#group)
      return from;
    const { tally, maxSeries, series } = this.#rules;
    const { drop } = this.#group;
    const end = runs.run(from, drop === undefined ? maxSeries - tally.samples : Infinity);
    const count = runs.lines;
    if (drop !== undefined) {
      if (count > 0) tally.drop(drop, count);
      passage.cut(from, end);
      return end;
    }
    tally.samples += count;
    if (series === undefined) return end;
    for (let index = 0; index < count; index += 1) {
      const [begin, seriesEnd] = runs.series(index);
      if (series.add(lines, begin, seriesEnd)) continue;
      tally.samples -= 1;
      tally.drop("repeated_series");
      passage.cut(begin, lines.indexOf(newline, seriesEnd) + 1);
    }
    return end;
  }

  /** A line that the scanner has read. */
  #usual(lines: Buffer, at: number, { isLastName, nameEnd, seriesEnd }: LineParts): Replaced {
    const before =
      isLastName && this.#announced === undefined ? "" : this.#belong(lines.toString("latin1", at, nameEnd));
    if (this.#dropped(lines, at, seriesEnd) !== undefined) return { before, isKept: false };
    return before === "" ? kept : { before, isKept: true };
  }

  /** A line that begins with a hash. */
  #comment(line: Buffer): void {
    this.#idleLines += 1;
    const text = line.toString("utf8", 0, line.length - 1);
    if (!isUtf8(line) || !this.#metadata(text.trim())) this.#rules.tally.drop("invalid");
  }

  /** Any other line; what it becomes is in `before`. */
  #any(line: Buffer): Replaced {
    const { from, to, tally } = this.#rules;
    const text = line.toString("utf8", 0, line.length - 1);
    const isText = isUtf8(line);
    if (text.trim() === "") {
      this.#idleLines += 1;
      return nothing;
    }
    if (/^[ \t]*#/.test(text)) {
      this.#comment(line);
      return nothing;
    }
    const sample = isText ? readSample(text, from) : undefined;
    if (sample === undefined) {
      tally.drop("invalid");
      return nothing;
    }
    this.#scanner.forgetName();
    const before = this.#belong(sample.name);
    const series = Buffer.from(sample.series);
    const drop = this.#dropped(series, 0, series.length);
    const { type = "unknown" } = this.#group ?? {};
    const exemplar = withExemplars.has(type) ? sample.exemplar : undefined;
    return {
      before: drop === undefined ? before + sampleText({ ...sample, exemplar }, to) : before,
      isKept: false,
    };
  }

  /** The sample's series is counted; the reason for which it is left out, if there is one. */
  #dropped(bytes: Buffer, from: number, end: number): DropReason | undefined {
    const { tally, maxSeries, series } = this.#rules;
    let drop = this.#group?.drop;
    if (drop === undefined && tally.samples >= maxSeries) drop = "series_limit";
    if (drop === undefined && series?.add(bytes, from, end) === false) drop = "repeated_series";
    if (drop === undefined) tally.samples += 1;
    else tally.drop(drop);
    return drop;
  }

  /** Find the family of a sample. Returns what is to be written before it. */
  #belong(name: string): string {
    if (this.#announced === undefined && this.#group?.names.has(name) === true) return "";
    const { to, ledger, tally } = this.#rules;
    const told = this.#told(name);
    this.#announced = undefined;
    const family: Family = told ?? { name, type: "unknown", help: undefined, unit: undefined };
    const verdict = ledger.begin(family, name);
    const type = verdict.kind === "first" ? verdict.type : family.type;
    this.#group = {
      type,
      written: told === undefined ? "" : told.written,
      names: new Set(sampleNames({ ...family, type })),
      drop: verdict.kind === "drop" ? verdict.reason : undefined,
    };
    if (verdict.kind === "first") return told === undefined ? "" : metadataLines(family, to, verdict.type);
    if (verdict.conflict !== undefined) tally.conflict(verdict.conflict);
    return "";
  }

  /** The family that was announced, if the sample is one of it. */
  #told(name: string): (Family & { readonly written: string }) | undefined {
    if (this.#announced === undefined) return undefined;
    const { written, lines } = this.#announced;
    const { from } = this.#rules;
    const family = announced(
      {
        written,
        type: lines.get("type") as Family["type"] | undefined,
        help: lines.get("help"),
        unit: lines.get("unit"),
      },
      from,
    );
    return sampleNames(family).includes(name) ? { ...family, written } : undefined;
  }

  /** False for a line that is none. */
  #metadata(text: string): boolean {
    const line = readMetadataLine(text, this.#rules.from);
    if (line.kind === "eof") this.#hasEnded = this.#rules.from === "openmetrics";
    if (!("name" in line)) return line.kind !== "invalid";
    if (this.#announced?.written !== line.name) {
      // Too late: samples of it have left.
      if (this.#announced === undefined && this.#group?.written === line.name) return true;
      this.#announced = { written: line.name, lines: new Map() };
    }
    const told = this.#announced.lines;
    if (!told.has(line.kind)) told.set(line.kind, line.kind === "type" ? line.type : line.text);
    return true;
  }
}

/** Families whose samples may have exemplars (OpenMetrics 1.0). */
const withExemplars: ReadonlySet<Family["type"]> = new Set(["counter", "histogram", "gaugehistogram"]);

/** What becomes of a line: something before it, and itself. */
interface Replaced {
  readonly before: string;
  readonly isKept: boolean;
}

const nothing: Replaced = { before: "", isKept: false };
const kept: Replaced = { before: "", isKept: true };
