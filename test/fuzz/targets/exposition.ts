/**
 * Expositions of applications: whatever they write, what is passed on is what Prometheus takes, in the format that was
 * agreed on, and it stays as it is when it is merged once more.
 *
 * The first byte of an input says which format it is in and which is wanted.
 */
import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { metricNamesOf } from "../exposition-rules.ts";
import { merged } from "../../support/merged.ts";
import type { FuzzTarget } from "../target.ts";
import type { Format } from "../../../src/scrape/formats/family.ts";

const formats: readonly (readonly [from: Format, to: Format])[] = [
  ["text", "text"],
  ["text", "openmetrics"],
  ["openmetrics", "openmetrics"],
  ["openmetrics", "text"],
];

export const expositionTarget: FuzzTarget = {
  name: "exposition",
  corpus: "exposition",
  words: [
    ...[
      "# TYPE ",
      "# HELP ",
      "# UNIT ",
      "# EOF\n",
      "counter",
      "gauge",
      "histogram",
      "summary",
      "untyped",
      "unknown",
      "info",
    ],
    ...[
      "stateset",
      "gaugehistogram",
      "_total",
      "_bucket",
      "_sum",
      "_count",
      "_created",
      "_info",
      'le="+Inf"',
      "quantile",
    ],
    ...[
      "{",
      "}",
      '="',
      '"',
      "\\",
      "\\n",
      '\\"',
      ",",
      " ",
      "\t",
      "\r",
      "\n",
      "#",
      " # {",
      "NaN",
      "+Inf",
      "-inf",
      "1e999",
      "0x1p3",
    ],
    ...["1700000000000", "1700000000.5", "__name__", "\xff", "\0"],
  ],
  concurrency: 1,
  maxBytes: 8_192,
  open: () =>
    Promise.resolve({
      feed: async (input) => {
        const [from, to] = formats[(input[0] ?? 0) % formats.length] ?? ["text", "text"];
        const text = input.subarray(1);
        const { bytes, tallies } = merged([{ text, from }], { to });
        assert.ok(isUtf8(bytes));
        const slow = merged([{ text, from }], { to, isSlow: true });
        assert.ok(slow.bytes.equals(bytes));
        assert.deepEqual(slow.tallies, tallies);
        const written = bytes.toString("utf8");
        const samples = metricNamesOf(written, to);
        assert.equal(samples.length, tallies[0]?.samples);
        const again = merged([{ text: written, from: to }], { to });
        assert.equal(again.text, written);
        assert.deepEqual([...(again.tallies[0]?.dropped ?? [])], []);
        await Promise.resolve();
      },
      whole: async () => {
        assert.equal(merged([{ text: "# TYPE a gauge\na 1\n" }]).text, "# TYPE a gauge\na 1\n");
        await Promise.resolve();
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
};
