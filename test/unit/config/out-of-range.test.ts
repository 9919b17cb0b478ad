/** Every number and every duration that comes from outside has bounds, and what is beyond them is named with them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { commands } from "../../../src/cli/commands.ts";
import { valueProblems } from "../../../src/command/flag-values.ts";
import { ConfigError, describeProblem } from "../../../src/schema/config-problem.ts";
import { parseDurationMs } from "../../../src/schema/duration.ts";
import { variables } from "../../../src/config/sources/environment.ts";
import { otlpVariables } from "../../../src/config/sources/otlp-variables.ts";
import type { Field, Fields } from "../../../src/config/proxy-config/field.ts";
import { parseConfig } from "../../../src/config/parse-config.ts";
import { proxyConfigFields } from "../../../src/config/proxy-config/schema.ts";
import {
  describeDurationRange,
  describeRange,
  type DurationRange,
  type NumberRange,
} from "../../../src/schema/range.ts";
import type { Setting } from "../../../src/schema/setting.ts";
import { configSources, type SourceChanges } from "../../support/config-sources.ts";

type Range = NumberRange | DurationRange;

function problemsOf(changes: SourceChanges): readonly string[] {
  try {
    parseConfig(configSources(changes));
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(describeProblem);
  }
}

/** Texts just beyond each end, and far beyond. */
function beyond(range: Range): readonly string[] {
  if (!("leastMs" in range)) return [String(range.least - 1), String(range.most + 1), "1e20", "-1e20"];
  const below = range.leastMs === 0 ? "-1ns" : `${(range.leastMs - 0.001) * 1_000}us`;
  return [below, `${range.mostMs + 1}ms`, "-9999999h", "99999999h"];
}

function wordsOf(range: Range): string {
  return "leastMs" in range ? describeDurationRange(range) : describeRange(range);
}

/** Whole numbers are written as such, also those that no computer counts with. */
function plain(text: string): string {
  return text.includes("e") ? BigInt(Number(text)).toString() : text;
}

describe("a variable out of range is a problem that names it and its range:", () => {
  const measured = Object.entries<Setting<unknown>>(variables).filter(
    ([name, { default: value }]) => typeof value === "number" && !(name in otlpVariables),
  );
  for (const [name, { range }] of measured) {
    test(name, () => {
      assert.ok(range !== undefined, "it has no range");
      for (const text of beyond(range).map(plain)) {
        const problems = problemsOf({ env: { [name]: text } });
        assert.ok(
          problems.some(
            (line) => line.startsWith(`${name}: ${text} is not`) && line.includes(wordsOf(range)),
          ),
          `${name}=${text}: ${problems.join("\n")}`,
        );
      }
    });
  }
});

describe("a variable of OpenTelemetry's out of range is a warning that names it and its range:", () => {
  const measured = Object.entries<Setting<unknown>>(otlpVariables).filter(
    ([, { default: value }]) => typeof value === "number",
  );
  for (const [name, { range }] of measured) {
    test(name, () => {
      assert.ok(range !== undefined, "it has no range");
      for (const text of beyond(range).map(plain)) {
        const { warnings } = parseConfig(configSources({ env: { [name]: text } }));
        const expected = `${name}: "${text}" is not ${wordsOf(range)}`;
        assert.ok(
          warnings.some((line) => line.startsWith(expected)),
          `${expected}: ${warnings.join("\n")}`,
        );
      }
    });
  }
});

interface Leaf {
  readonly path: readonly string[];
  readonly range: Range;
}

/** The numbers and durations below a field, by their paths; an item of a list or a map has a name made up. */
function leavesOf(field: Field, path: readonly string[]): readonly Leaf[] {
  switch (field.kind) {
    case "integer":
    case "number":
    case "duration":
      return [{ path, range: field.range }];
    case "message":
      return leavesIn(field.fields, path);
    case "map":
      return leavesOf(field.of, [...path, "x"]);
    default:
      return [];
  }
}

function leavesIn(fields: Fields, path: readonly string[] = []): readonly Leaf[] {
  return Object.entries(fields).flatMap(([name, field]) => leavesOf(field, [...path, name]));
}

describe("a field of ProxyConfig out of range is a problem that names source, field and range:", () => {
  const leaves = leavesIn(proxyConfigFields);

  test("there are fields", () => {
    assert.ok(leaves.length > 40, String(leaves.length));
  });

  for (const { path, range } of leaves) {
    test(path.join("."), () => {
      for (const text of beyond(range).map(plain)) {
        const value = "leastMs" in range ? JSON.stringify(text) : text;
        const json = path.reduceRight((inner, name) => `{${JSON.stringify(name)}: ${inner}}`, value);
        const annotations = "./etc/istio/pod/annotations";
        const sources: readonly (readonly [source: string, changes: SourceChanges])[] = [
          ["PROXY_CONFIG", { env: { PROXY_CONFIG: json } }],
          ["./etc/istio/config/mesh", { files: { "./etc/istio/config/mesh": `{"defaultConfig": ${json}}` } }],
          [
            `${annotations}: proxy.istio.io/config`,
            { files: { [annotations]: `proxy.istio.io/config=${JSON.stringify(json)}` } },
          ],
        ];
        for (const [source, changes] of sources) {
          const problems = problemsOf(changes);
          const expected = `${source}: ${path.join(".")}: `;
          assert.ok(
            problems.some((line) => line.startsWith(expected) && line.endsWith(` is not ${wordsOf(range)}`)),
            `${json}: ${problems.join("\n")}`,
          );
        }
      }
    });
  }
});

describe("a flag out of range is refused by its name and its range:", () => {
  for (const { name: command, flags } of commands) {
    for (const [name, flag] of Object.entries(flags)) {
      const isDuration =
        flag.type === "string" &&
        typeof flag.default === "string" &&
        flag.default !== "" &&
        parseDurationMs(flag.default) !== undefined;
      if (flag.type !== "number" && !isDuration && flag.range === undefined) continue;
      test(`${command} --${name}`, () => {
        const { range } = flag;
        assert.ok(range !== undefined, "it has no range");
        for (const text of beyond(range)) {
          const value = flag.type === "number" ? Number(text) : text;
          const problems = valueProblems([], { [name]: value }, flags);
          assert.equal(problems.length, 1, text);
          assert.ok(
            problems[0]?.startsWith(`--${name}: `) && problems[0].endsWith(wordsOf(range)),
            problems[0],
          );
        }
      });
    }
  }

  test("a number with a fraction is none of a whole number", () => {
    const flags = { port: { type: "number", range: { least: 1, most: 9 }, describe: "" } } as const;
    assert.deepEqual(valueProblems([], { port: 1.5 }, flags), ["--port: 1.5 is not a whole number"]);
    assert.deepEqual(valueProblems([], { port: 9 }, flags), []);
  });
});

describe("flags that configuration reads out of range are problems, however they come to be:", () => {
  for (const name of [
    ...["preDrainDelay", "appGrace", "xdsCacheAfter", "platformMetadataDeadline"],
    ...["swapTimeout", "restartWindow", "hangCheckInterval", "restartBudget", "hangChecks"],
  ]) {
    test(name, () => {
      const value = name === "restartBudget" || name === "hangChecks" ? "-1" : "-1s";
      const problems = problemsOf({ flags: { [name]: value } });
      assert.match(problems.join("\n"), new RegExp(`^--${name}: "?-1s?"? is not a .*from`, "m"));
    });
  }

  test("--concurrency", () => {
    assert.deepEqual(problemsOf({ flags: { concurrency: "8193" } }), [
      '--concurrency: "8193" is not a whole number from 0 to 8192',
    ]);
  });
});

describe("a number inside an annotation or a map out of range is a problem with its range:", () => {
  for (const [name, value, expected] of [
    [
      "status.sidecar.istio.io/port",
      "65536",
      /status\.sidecar\.istio\.io\/port: statusPort: "65536" is not a port/,
    ],
    [
      "sidecar.istio.io/statsFlushInterval",
      "6m",
      /statsFlushInterval: "6m" is not a duration from 1ms to 5m/,
    ],
    [
      "sidecar.istio.io/statsEvictionInterval",
      "0s",
      /statsEvictionInterval: "0s" is not a duration from 1ms/,
    ],
    ["sidecar.istio.io/statsHistogramBuckets", '{"a": [1, 1e999]}', /statsHistogramBuckets: is not JSON/],
  ] as const) {
    test(name, () => {
      const line = `${name}=${JSON.stringify(value)}`;
      assert.match(problemsOf({ files: { "./etc/istio/pod/annotations": line } }).join("\n"), expected);
    });
  }

  for (const text of ["0", "-1", "1.5", "99999999999999999999", "many"]) {
    test(`ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS=${text}`, () => {
      const config = { proxyMetadata: { ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS: text } };
      assert.match(
        problemsOf({ env: { PROXY_CONFIG: JSON.stringify(config) } }).join("\n"),
        /proxyMetadata\.ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS: .* is not a number of connections from 1/,
      );
    });
  }
});
