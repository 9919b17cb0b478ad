/** What sources write, and what of it stands in the merged exposition. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import type { Format } from "../../../../src/scrape/formats/family.ts";
import { merged, type MergeInput, type MergeOptions } from "../../../support/merged.ts";

interface Case extends MergeOptions {
  readonly name: string;
  readonly sources: readonly MergeInput[];
  readonly is: string;
  /** Of the last source. */
  readonly dropped?: Readonly<Record<string, number>>;
  readonly conflicts?: Readonly<Record<string, number>>;
}

const envoy = (text: string): MergeInput => ({ text, isTrusted: true });
const openMetrics = (text: string): MergeInput => ({ text, from: "openmetrics" });

const cases: readonly Case[] = [
  {
    name: "a usual exposition passes as it is",
    sources: [
      { text: '# HELP a_total It.\n# TYPE a_total counter\na_total{x="1"} 5\na_total{x="2"} 1.5e-3\n' },
    ],
    is: '# HELP a_total It.\n# TYPE a_total counter\na_total{x="1"} 5\na_total{x="2"} 1.5e-3\n',
  },
  {
    name: "what is written loosely is written as it should be",
    sources: [{ text: '\n  a{ x = "1" , }\t5 \r\n# a comment\n#no\n\ta  +inf  17\na{}nan\n' }],
    is: 'a{x="1"} 5\na +Inf 17\na NaN\n',
  },
  {
    name: "a last line without an end gets one",
    sources: [{ text: "a 1" }, { text: "b 2" }],
    is: "a 1\nb 2\n",
  },
  {
    name: "lines that Prometheus refuses are left out",
    sources: [
      {
        text: [
          "ok 1",
          "1a 1",
          "a",
          "a1",
          "a x",
          "a 1 x",
          "a 1 2 3",
          "a 1e999",
          'a{x="1",x="2"} 1',
          'a{__name__="b"} 1',
          'a{x="1} 1',
          "a{x=1} 1",
          "# TYPE a nothing",
          "<html>",
          "a 0x10",
          "ok 2",
          "",
        ].join("\n"),
      },
    ],
    is: "ok 1\nok 2\n",
    dropped: { invalid: 14 },
  },
  {
    name: "bytes that are no UTF-8 cost their line",
    sources: [{ text: Buffer.from('a{x="\xff"} 1\nb{x="\xc3\xa4"} 2\n', "latin1") }],
    is: 'b{x="ä"} 2\n',
    dropped: { invalid: 1 },
  },
  {
    name: "bytes of a request in Envoy's labels cost their line",
    sources: [
      envoy(
        Buffer.from('# TYPE a counter\na{x="1"} 1\na{x="\xff"} 1\na{x="3"} 1\n', "latin1").toString("latin1"),
      ),
    ].map((source) => ({ ...source, text: Buffer.from(String(source.text), "latin1") })),
    is: '# TYPE a counter\na{x="1"} 1\na{x="3"} 1\n',
    dropped: { invalid: 1 },
  },
  {
    name: "a family of two sources has its lines of metadata once",
    sources: [
      envoy('# TYPE a counter\na{x="1"} 1\n'),
      { text: '# HELP a It.\n# TYPE a counter\na{x="2"} 2\n# TYPE b gauge\nb 1\n' },
    ],
    is: '# TYPE a counter\na{x="1"} 1\na{x="2"} 2\n# TYPE b gauge\nb 1\n',
  },
  {
    name: "another help is told, and the first one stays",
    sources: [{ text: "# HELP a One.\na 1\n" }, { text: '# HELP a Two.\na{x="2"} 2\n' }],
    is: '# HELP a One.\n# TYPE a untyped\na 1\na{x="2"} 2\n',
    conflicts: { help: 1 },
  },
  {
    name: "a family that two sources have as other types belongs to the first",
    sources: [
      envoy("# TYPE a counter\na 1\n"),
      { text: '# TYPE a histogram\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n# TYPE b gauge\nb 1\n' },
    ],
    is: "# TYPE a counter\na 1\n# TYPE b gauge\nb 1\n",
    dropped: { type_conflict: 3 },
    conflicts: { type: 1 },
  },
  {
    name: "Envoy's families give way as well",
    sources: [{ text: "# TYPE a gauge\na 1\n" }, envoy("# TYPE a counter\na 2\na 3\n# TYPE b gauge\nb 1\n")],
    is: "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n",
    dropped: { type_conflict: 2 },
    conflicts: { type: 1 },
  },
  {
    name: "metadata that come twice, too late or for nothing are left out",
    sources: [
      {
        text: "# TYPE a gauge\n# TYPE a counter\na 1\n# HELP a Late.\na 2\n# TYPE never gauge\n# TYPE b gauge\nc 1\n",
      },
    ],
    is: "# TYPE a gauge\na 1\na 2\nc 1\n",
  },
  {
    name: "series that another application has are left out",
    sources: [{ text: 'go 1\na{x="1"} 1\n' }, { text: 'go 2\na{x="1"} 2\na{x="2"} 2\n' }],
    findsRepeated: true,
    is: 'go 1\na{x="1"} 1\na{x="2"} 2\n',
    dropped: { repeated_series: 2 },
  },
  {
    name: "filtered families are left out with their metadata",
    sources: [
      envoy("# TYPE a counter\na 1\n# TYPE b gauge\nb 1\n"),
      { text: "# TYPE a counter\na 1\n# TYPE c gauge\nc 1\n" },
    ],
    isWanted: (name) => name !== "a",
    is: "# TYPE b gauge\nb 1\n# TYPE c gauge\nc 1\n",
    dropped: { filtered: 1 },
  },
  {
    name: "an application has as many series as it may",
    sources: [{ text: "# TYPE a gauge\na 1\nb 1\nc 1\n", maxSeries: 2 }],
    is: "# TYPE a gauge\na 1\nb 1\n",
    dropped: { series_limit: 1 },
  },
  {
    name: "Envoy has as many series as it may",
    sources: [{ ...envoy("# TYPE a gauge\na 1\na 2\na 3\n# TYPE b gauge\nb 1\n"), maxSeries: 2 }],
    is: "# TYPE a gauge\na 1\na 2\n# TYPE b gauge\n",
    dropped: { series_limit: 2 },
  },
  {
    name: "text becomes OpenMetrics",
    to: "openmetrics",
    sources: [
      envoy("# TYPE a_total counter\na_total 1\n# TYPE b counter\nb 1\n# TYPE c gauge\nc 1\n"),
      { text: '# HELP d Says "it" \\\\.\n# TYPE d untyped\nd 1 1500\n# comment\n\n' },
    ],
    is: '# TYPE a counter\na_total 1\n# TYPE b unknown\nb 1\n# TYPE c gauge\nc 1\n# TYPE d unknown\n# HELP d Says \\"it\\" \\\\.\nd 1 1.5\n',
  },
  {
    name: "OpenMetrics passes but for its end",
    to: "openmetrics",
    sources: [
      openMetrics(
        '# TYPE a counter\n# HELP a It.\na_total 1 # {trace_id="x"} 0.5 17\na_created 17\n# TYPE b_s gauge\n# UNIT b_s s\nb_s 1\n# EOF\nc 1\n',
      ),
    ],
    is: '# TYPE a counter\n# HELP a It.\na_total 1 # {trace_id="x"} 0.5 17\na_created 17\n# TYPE b_s gauge\n# UNIT b_s s\nb_s 1\n',
  },
  {
    name: "OpenMetrics becomes text",
    sources: [
      openMetrics(
        '# TYPE a counter\n# HELP a "It".\na_total 1 17.5 # {trace_id="x"} 0.5\n# TYPE b info\nb_info{v="1"} 1\n# TYPE c unknown\nc 1\n# TYPE d stateset\nd{d="on"} 1\n# EOF\n',
      ),
    ],
    is: '# HELP a_total "It".\n# TYPE a_total counter\na_total 1 17500\n# TYPE b_info gauge\nb_info{v="1"} 1\n# TYPE c untyped\nc 1\n# TYPE d gauge\nd{d="on"} 1\n',
  },
  {
    name: "OpenMetrics has no family twice, and none whose samples could be another's",
    to: "openmetrics",
    sources: [
      envoy("# TYPE a gauge\na 1\n# TYPE h histogram\n"),
      openMetrics(
        '# TYPE a gauge\na{x="1"} 1\n# TYPE h_sum gauge\nh_sum 1\n# TYPE a_total counter\na_total 1\n# EOF\n',
      ),
    ],
    is: "# TYPE a gauge\na 1\n# TYPE h histogram\n# TYPE a_total unknown\na_total 1\n",
    dropped: { repeated_family: 2 },
    conflicts: { family: 2 },
  },
  {
    name: "a family that comes again after one that is written loosely is seen to come again",
    to: "openmetrics",
    sources: [{ text: "# TYPE a gauge\na 1\nb  2\na 3\n" }],
    is: "# TYPE a gauge\na 1\nb 2\n",
    dropped: { repeated_family: 1 },
    conflicts: { family: 1 },
  },
  {
    name: "metadata between samples of a family that was announced is left out, and the samples are not",
    sources: [{ text: "# HELP a It.\n# TYPE a gauge\na 1\n# HELP a It.\na 2\n# TYPE b gauge\n\nb 1\n" }],
    is: "# HELP a It.\n# TYPE a gauge\na 1\na 2\n# TYPE b gauge\nb 1\n",
  },
];

describe("merged metrics", () => {
  for (const { name, sources, is, dropped = {}, conflicts = {}, ...options } of cases) {
    test(name, () => {
      const { text, tallies } = merged(sources, options);
      assert.equal(text, is);
      const tally = tallies.at(-1);
      assert.deepEqual(Object.fromEntries(tally?.dropped ?? []), dropped);
      assert.deepEqual(Object.fromEntries(tally?.conflicts ?? []), conflicts);
    });
  }

  test("are the same in whichever pieces they come", () => {
    const inputs = cases.flatMap(({ sources, ...options }) => sources.map((source) => ({ source, options })));
    fc.assert(
      fc.property(
        fc.constantFrom(...inputs),
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 80 }),
        ({ source, options }, pieces) => {
          const whole = merged([source], options);
          const cut = merged([{ ...source, pieces }], options);
          assert.equal(cut.text, whole.text);
          assert.deepEqual(cut.tallies, whole.tallies);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("are the same whether lines of one shape are gone over at once or one by one", () => {
    const line = fc
      .tuple(
        fc.constantFrom("a", "a_total", "a_bucket", "b:c"),
        fc.constantFrom("", '{x="', '{x="1",y="', '{le="0.5",x="', '{x="1",x="'),
        fc.string({
          maxLength: 40,
          unit: fc.constantFrom("v", "é", "1", ",", " ", "\\\\", '\\"', "\\", '"', "}"),
        }),
        fc.constantFrom(
          "1",
          "-1.5",
          "1e9",
          "1.5e+06",
          "12345678901234567890",
          "1e400",
          "NaN",
          "+Inf",
          "-",
          "1 1700000000000",
          "1e",
          "1.",
        ),
      )
      .map(
        ([name, labels, value, number]) => `${name}${labels}${labels === "" ? "" : `${value}"}`} ${number}\n`,
      );
    const lines = fc.array(
      fc.oneof(
        {
          arbitrary: fc.tuple(line, fc.integer({ min: 1, max: 6 })).map(([one, count]) => one.repeat(count)),
          weight: 6,
        },
        {
          arbitrary: fc.constantFrom(
            "# TYPE a counter\n",
            "# TYPE a histogram\n",
            "# TYPE b:c gauge\n",
            "# TYPE a_total counter\n",
            "# HELP a It.\n",
            "# x\n",
            "\n",
          ),
          weight: 1,
        },
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(
        lines.map((all) => all.join("")),
        fc.constantFrom<Format>("text", "openmetrics"),
        fc.boolean(),
        fc.constantFrom(Infinity, 3, 0),
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 6 }),
        (text, to, findsRepeated, maxSeries, isTrusted, pieces) => {
          const isWanted = (name: string): boolean => name !== "a_total";
          const options = { to, findsRepeated, isWanted };
          const input = { text, maxSeries, isTrusted, pieces };
          const slow = merged([input], { ...options, isSlow: true });
          const quick = merged([input], options);
          assert.equal(quick.text, slow.text);
          assert.deepEqual(quick.tallies, slow.tallies);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("are gone over in the shape of another family's, which has another name", () => {
    const family = (name: string, label = "x"): string =>
      `# TYPE ${name} gauge\n${["1", "2", "3"].map((value) => `${name}{${label}="${value}"} ${value}\n`).join("")}`;
    const longName = "c".repeat(600);
    const good = [
      ...["a", "a_longer", "b:c", "a", longName, "d"].map((name) => family(name)),
      family("e", "y"),
      family("f", "y"),
    ];
    const bad = ["1a", "a-b", "é"].map((name) => family(name).replace(/^# TYPE.*\n/, "# TYPE g gauge\n"));
    const text = [...good, ...bad, family("h", "y")].join("");
    for (const pieces of [[], [150, 10, 300, 40]]) {
      const slow = merged([{ text, pieces }], { isSlow: true });
      const quick = merged([{ text, pieces }]);
      assert.equal(quick.text, slow.text);
      assert.deepEqual(quick.tallies, slow.tallies);
      assert.equal(quick.tallies[0]?.dropped.get("invalid"), 9);
    }
  });

  test("what may stay as it is leaves in one piece, with what announces it", () => {
    const help = "# HELP a It.\n# TYPE a gauge\n";
    const text = `${help}a{x="1"} 1\na 2\n${help.replaceAll(" a ", " b_total ")}b_total 1\nc 1\n`;
    assert.equal(merged([{ text }]).pieces, 1);
    const ofEnvoy = text.replaceAll(/# HELP.*\n/g, "");
    const { pieces, text: passed } = merged([envoy(ofEnvoy)]);
    assert.equal(passed, ofEnvoy);
    assert.equal(pieces, 1);
  });

  test("a line that is too long is left out, in whichever pieces it comes", () => {
    const text = `a 1\nb{x="${"y".repeat(70_000)}"} 1\nc 1\n`;
    for (const pieces of [[], [10], [65_000, 4_000], [65_545], Array.from({ length: 80 }, () => 1_000)]) {
      const result = merged([{ text, pieces }]);
      assert.equal(result.text.slice(0, 100), "a 1\nc 1\n");
      assert.deepEqual([...(result.tallies[0]?.dropped ?? [])], [["invalid", 1]]);
    }
  });

  test("a source that writes no metrics is given up", () => {
    assert.ok(merged([{ text: "<html>\n".repeat(1_000) }]).texts[0]?.isHopeless);
    assert.ok(!merged([{ text: "a 1\n".repeat(1_001) + "<html>\n".repeat(1_000) }]).texts[0]?.isHopeless);
    for (const line of ["\n", " \n", "# a comment\n", "# TYPE a gauge\n"]) {
      assert.ok(merged([{ text: line.repeat(100_000) }]).texts[0]?.isHopeless, line);
      assert.ok(!merged([{ text: line.repeat(99_999) }]).texts[0]?.isHopeless, line);
      assert.ok(
        !merged([{ text: "a 1\n".repeat(10_000) + line.repeat(100_000) }]).texts[0]?.isHopeless,
        line,
      );
    }
  });

  test("OpenMetrics says whether it has come to its end", () => {
    assert.equal(merged([openMetrics("a 1\n")]).texts[0]?.hasEnded, false);
    assert.equal(merged([openMetrics("a 1\n# EOF\n")]).texts[0]?.hasEnded, true);
    assert.equal(merged([{ text: "a 1\n" }]).texts[0]?.hasEnded, undefined);
  });
});
