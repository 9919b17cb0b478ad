/** What a template finds of ProxyConfig, and what the agent acts on, follow from the fields' rows. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeProxyConfig } from "../../../../src/config/proxy-config/decode.ts";
import type { Field } from "../../../../src/config/proxy-config/field.ts";
import { mergeProxyConfig } from "../../../../src/config/proxy-config/merge.ts";
import { everyField } from "../../../../src/config/proxy-config/metadata.ts";
import { proxyConfigFields } from "../../../../src/config/proxy-config/schema.ts";
import type { ConfigProblem } from "../../../../src/schema/config-problem.ts";

const rows = Object.entries<Field>(proxyConfigFields);

function decoded(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const problems: ConfigProblem[] = [];
  const layers = [{ source: "layer", path: "" as const, text: JSON.stringify(fields) }];
  const config = decodeProxyConfig(mergeProxyConfig(layers, problems), problems);
  assert.deepEqual(problems, []);
  return { ...config };
}

describe("a template finds", () => {
  const found = everyField(mergeProxyConfig([], [])) as Readonly<Record<string, unknown>>;

  test("every field but those that are nobody's to read, so that a slip of the pen is an error", () => {
    assert.deepEqual(
      Object.keys(found),
      rows.filter(([, { isUntold }]) => isUntold !== true).map(([name]) => name),
    );
  });

  for (const [name, row] of rows.filter(([, { isUntold }]) => isUntold !== true)) {
    test(`the default of ${name}, or what it means, or null`, () => {
      assert.deepEqual(found[name], row.default ?? row.unset ?? null);
    });
  }
});

describe("without a source", () => {
  const config = decoded({});
  for (const [name, row] of rows) {
    if (row.kind === "duration") {
      const expected = { "45s": 45_000, "5s": 5_000, "1s": 1_000 }[String(row.default ?? row.unset)];
      test(`${name} is in milliseconds`, () => {
        assert.equal(config[`${name}Ms`], expected);
      });
      continue;
    }
    // Decided from more than one field.
    if (["binaryPath", "tracing", "envoyMetricsService", "envoyAccessLogService"].includes(name)) continue;
    test(`${name} has its default, or what it means`, () => {
      assert.deepEqual(config[name], row.default ?? row.unset);
    });
  }
});

describe("an empty value", () => {
  for (const [name, empty] of [
    ["customConfigFile", ""],
    ["statsdUdpAddress", ""],
    ["fileFlushMinSizeKb", 0],
  ] as const) {
    test(`of ${name} is none`, () => {
      assert.equal(decoded({ [name]: empty })[name], undefined);
    });
  }

  for (const [name, empty] of [
    ["concurrency", 0],
    ["statusPort", 0],
    ["serviceCluster", ""],
  ] as const) {
    test(`of ${name} is a value`, () => {
      assert.equal(decoded({ [name]: empty })[name], empty);
    });
  }

  for (const name of rows.flatMap(([each, { isRequired }]) => (isRequired === true ? [each] : []))) {
    test(`of ${name} is a problem`, () => {
      const problems: ConfigProblem[] = [];
      const layers = [{ source: "layer", path: "" as const, text: JSON.stringify({ [name]: "" }) }];
      decodeProxyConfig(mergeProxyConfig(layers, problems), problems);
      assert.deepEqual(problems, [{ source: "layer", path: name, message: "must not be empty" }]);
    });
  }
});
