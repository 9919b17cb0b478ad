/**
 * What Prometheus takes of an exposition, written from its formats' grammars and without the code that merges
 * (Prometheus' exposition formats; OpenMetrics 1.0, section 4.1.2).
 */
import assert from "node:assert/strict";
import type { Format } from "../../src/scrape/formats/family.ts";

const name = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const label = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*"`;
const labels = String.raw`(?:\{${label}(?:,${label})*\})?`;
const number = String.raw`(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)`;
const exemplar = String.raw`(?: # \{(?:${label}(?:,${label})*)?\} ${number}(?: ${number})?)?`;

const samples: Readonly<Record<Format, RegExp>> = {
  text: new RegExp(String.raw`^(${name})(${labels}|\{\}) ${number}(?: -?\d+)?$`),
  openmetrics: new RegExp(String.raw`^(${name})(${labels}|\{\}) ${number}(?: ${number})?${exemplar}$`),
};

const metadata: Readonly<Record<Format, RegExp>> = {
  text: new RegExp(
    String.raw`^# (?:TYPE (${name}) (?:counter|gauge|histogram|summary|untyped)|HELP (?:${name}) (?:[^\\\n]|\\[\\n])*)$`,
  ),
  openmetrics: new RegExp(
    String.raw`^# (?:TYPE (${name}) (?:counter|gauge|histogram|summary|unknown|info|stateset|gaugehistogram)|UNIT (?:${name}) \S*|HELP (?:${name}) (?:[^\\"\n]|\\[\\n"])*)$`,
  ),
};

/** Names of all samples. @throws AssertionError for an exposition that Prometheus refuses */
export function metricNamesOf(text: string, format: Format): readonly string[] {
  assert.ok(text === "" || text.endsWith("\n"), "the last line has no end");
  const types = new Set<string>();
  const names: string[] = [];
  for (const line of text.split("\n").slice(0, -1)) {
    if (line.startsWith("#")) {
      const match =
        metadata[format].exec(line) ?? assert.fail(`no line of metadata: ${JSON.stringify(line)}`);
      const [, typed] = match;
      if (typed !== undefined) assert.ok(!types.has(typed), `twice a type: ${typed}`);
      if (typed !== undefined) types.add(typed);
      continue;
    }
    const [, sample = "", given = ""] =
      samples[format].exec(line) ?? assert.fail(`no sample: ${JSON.stringify(line)}`);
    const found = [...given.matchAll(/([a-zA-Z0-9_]+)="(?:[^"\\]|\\.)*"/g)].map(([, own]) => own);
    assert.equal(new Set(found).size, found.length, `a label twice: ${line}`);
    assert.ok(!found.includes("__name__"), line);
    const value = line.slice(sample.length + given.length + 1).split(" ")[0] ?? "";
    if (/\d/.test(value)) assert.ok(Number.isFinite(Number(value)), line);
    names.push(sample);
  }
  return names;
}
