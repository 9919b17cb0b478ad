/**
 * Any line of a sample that Prometheus would take, and some that it would not but that are meant well: more blanks,
 * a carriage return, a comma too many. It is taken apart and can be written in either format.
 */
import type { Format } from "./family.ts";

/** A sample. */
export interface SampleLine {
  readonly name: string;
  /** Name and labels as they are written, blanks taken out. */
  readonly series: string;
  readonly value: string;
  /** In milliseconds. */
  readonly timestampMs: number | undefined;
  /** With `{` and everything after it, as OpenMetrics has it. */
  readonly exemplar: string | undefined;
}

const labels = String.raw`(?:[ \t]*[a-zA-Z_][a-zA-Z0-9_]*[ \t]*=[ \t]*"(?:[^"\\\n]|\\[^\n])*"[ \t]*(?:,|(?=\})))*[ \t]*`;
const sample = new RegExp(
  String.raw`^[ \t]*([a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t]*\{(${labels})\}[ \t]*|[ \t]+)(\S+)(?:[ \t]+([^\s#]+))?(?:[ \t]+#[ \t]+\{(${labels})\}[ \t]+(\S+)(?:[ \t]+(\S+))?)?[ \t\r]*$`,
);
const label = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\\n]|\\[^\n])*)"[ \t]*,?/gy;

/** Characters that labels of an exemplar may have together (OpenMetrics 1.0). */
const mostExemplar = 128;

/** Undefined for a line that is none. @param line without its end */
export function readSample(line: string, format: Format): SampleLine | undefined {
  const match = sample.exec(line);
  if (match === null) return undefined;
  const [, name = "", given, valueText = "", timestampText, exemplarLabels, exemplarValue, exemplarTime] =
    match;
  const written = given === undefined ? "" : readLabels(given);
  const value = readNumber(valueText);
  if (written === undefined || value === undefined) return undefined;
  const timestampMs = timestampText === undefined ? undefined : readTime(timestampText, format);
  if (timestampText !== undefined && timestampMs === undefined) return undefined;
  if (exemplarLabels !== undefined && format === "text") return undefined;
  return {
    name,
    series: written === "" ? name : `${name}{${written}}`,
    value,
    timestampMs,
    exemplar: readExemplar(name, exemplarLabels, exemplarValue, exemplarTime),
  };
}

/** With the end of the line. */
export function sampleText({ series, value, timestampMs, exemplar }: SampleLine, format: Format): string {
  if (format === "text")
    return timestampMs === undefined ? `${series} ${value}\n` : `${series} ${value} ${timestampMs}\n`;
  const time = timestampMs === undefined ? "" : ` ${timestampMs / 1_000}`;
  return exemplar === undefined ? `${series} ${value}${time}\n` : `${series} ${value}${time} # ${exemplar}\n`;
}

/** As they are written, without blanks; undefined where one comes twice or has the name that a metric's name goes by. */
function readLabels(given: string): string | undefined {
  const names = new Set<string>();
  const pairs: string[] = [];
  for (const [, name = "", value = ""] of given.matchAll(label)) {
    if (names.has(name) || name === "__name__") return undefined;
    names.add(name);
    pairs.push(
      `${name}="${value.replaceAll(/\\([\\n"])|\\/g, (found, known) => (known === undefined ? String.raw`\\` : found))}"`,
    );
  }
  return pairs.join(",");
}

/** As Go's ParseFloat takes it, hexadecimal apart; written so that everybody takes it. */
function readNumber(text: string): string | undefined {
  if (/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
    return Number.isFinite(Number(text)) ? text : undefined;
  }
  const [, sign = "", word = ""] = /^([+-]?)(nan|inf|infinity)$/i.exec(text) ?? [];
  if (word === "") return undefined;
  return word.toLowerCase() === "nan" ? "NaN" : `${sign === "-" ? "-" : "+"}Inf`;
}

/** In milliseconds. Times that JavaScript cannot hold whole are none. */
function readTime(text: string, format: Format): number | undefined {
  if (format === "text" && !/^-?\d+$/.test(text)) return undefined;
  const number = readNumber(text) === undefined ? Number.NaN : Number(text);
  const ms = format === "text" ? number : Math.round(number * 1_000);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** One that Prometheus would not take is left out: the sample is worth more. */
function readExemplar(
  name: string,
  given: string | undefined,
  valueText: string | undefined,
  timeText: string | undefined,
): string | undefined {
  if (given === undefined || !/_(?:total|bucket)$/.test(name)) return undefined;
  const written = readLabels(given);
  const value = readNumber(valueText ?? "");
  if (written === undefined || value === undefined || Array.from(written).length > mostExemplar)
    return undefined;
  const isTime = timeText === undefined || readTime(timeText, "openmetrics") !== undefined;
  return isTime ? `{${written}} ${value}${timeText === undefined ? "" : ` ${timeText}`}` : undefined;
}
