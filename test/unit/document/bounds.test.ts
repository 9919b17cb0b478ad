/** What comes from outside is read within bounds of size, depth and number, whatever it is made of. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { Alias, parse, stringify } from "yaml";
import { jsonDepth, jsonValue, readJson } from "../../../src/document/json.ts";
import { configurationLimits, type DocumentLimits } from "../../../src/document/limits.ts";
import { readYaml } from "../../../src/document/yaml.ts";
import { hostileDocuments } from "../../support/hostile-documents.ts";

const limits: DocumentLimits = { maxBytes: 10_000, maxDepth: 5, maxParts: 200 };

function faultsOf(text: string, bounds = limits): readonly string[] {
  const document = readYaml(text, bounds);
  if (document.kind === "read") return [];
  return document.faults.map(({ line = 0, column = 0, message }) => `${line}:${column} ${message}`);
}

/** Levels of a value. */
function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function partsOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return 1 + own + Object.values(value).reduce<number>((sum, item) => sum + partsOf(item), 0);
}

describe("a document from outside", () => {
  for (const [name, text] of Object.entries(hostileDocuments)) {
    test(`of ${name} is refused in a few words, or is small`, () => {
      const document = readYaml(text, configurationLimits);
      if (document.kind === "read") {
        assert.ok(depthOf(document.value) <= configurationLimits.maxDepth);
        assert.ok(partsOf(document.value) <= configurationLimits.maxParts);
        return;
      }
      assert.ok(document.faults.length > 0 && document.faults.length <= 10);
      for (const { message } of document.faults) {
        assert.ok(message !== "" && message.length < 300, message);
        assert.doesNotMatch(message, /stack|RangeError|resource exhaustion/i);
      }
    });
  }

  for (const [name, text, expected] of [
    ["as deep as may be", "[[[[[1]]]]]", []],
    ["deeper", "[[[[[[1]]]]]]", ["1:6 is nested more than 5 levels deep"]],
    [
      "deeper in blocks",
      "a:\n b:\n  c:\n   d:\n    e:\n     f: 1",
      ["6:6 is nested more than 5 levels deep"],
    ],
    ["as deep, brackets in text", '["[[[[[[[[[["]', []],
    ["as deep, brackets in plain words", "a: x[[[[[[[", []],
    ["a key twice", "a: 1\nb: 2\na: 3", ["3:1 not valid YAML: Map keys must be unique"]],
    ["a key twice in braces", "x: {a: 1, a: 2}", ["1:11 not valid YAML: Map keys must be unique"]],
    ["an alias of nothing", "a: *b", ["1:4 not valid YAML: *b stands for nothing before it"]],
    [
      "an alias of what it is a part of",
      "a: &a [*a]\nb: &b {c: [1, *b]}",
      [
        "1:8 not valid YAML: *a stands for what it is a part of",
        "2:15 not valid YAML: *b stands for what it is a part of",
      ],
    ],
    [
      "one whose anchor had another meaning before",
      "&a x: 1\ny: &a [*a]",
      ["2:8 not valid YAML: *a stands for what it is a part of"],
    ],
    ["two documents", "a: 1\n---\nb: 2", ["0:0 holds more than one document"]],
    ["too long", "x".repeat(10_001), ["0:0 has 10001 bytes, of which 10000 are the most that is read"]],
    ["a bracket that closes nothing", "a: 1\n]", ["2:1 not valid YAML: a bracket closes nothing"]],
    ["unfinished", "{a: 1", ["1:6 not valid YAML: Flow map must end with a }"]],
  ] as const) {
    test(`that is ${name}`, () => {
      assert.deepEqual(faultsOf(text), expected);
    });
  }

  test("that is small has the value that the library gives it", () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(value, fc.boolean(), (written, isJson) => {
        const text = isJson ? JSON.stringify(written) : stringify(written);
        const document = readYaml(text, configurationLimits);
        assert.ok(document.kind === "read", text);
        assert.deepEqual(document.value, parse(text));
      }),
    );
  });

  test("keeps aliases that are few", () => {
    const text = "a: &x {b: [1, 2]}\nc: *x\nd: [*x, *x]";
    assert.deepEqual(readYaml(text, configurationLimits), { kind: "read", value: parse(text) as unknown });
    assert.equal(readYaml("", configurationLimits).kind, "read");
  });

  test("does not look through the document for each alias", (context) => {
    const text = `a: &x {b: &y 1}\nc:\n${"- [*x, *y]\n".repeat(100)}`;
    const value = parse(text, { maxAliasCount: -1 }) as unknown;
    const search = context.mock.method(Alias.prototype, "resolve");
    assert.deepEqual(readYaml(text, configurationLimits), { kind: "read", value });
    assert.equal(search.mock.callCount(), 0);
  });

  test("is refused or within its bounds, whatever it is", () => {
    const word = fc.constantFrom(
      ...[
        "[",
        "]",
        "{",
        "}",
        "- ",
        "? ",
        ": ",
        "a",
        "b: ",
        "&x ",
        "*x",
        "\n",
        " ",
        ",",
        "!t ",
        '"',
        "'",
        "|\n",
        "#",
      ],
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), (words) => {
        const document = readYaml(words.join(""), limits);
        if (document.kind === "refused") assert.ok(document.faults.length > 0);
        else {
          assert.ok(depthOf(document.value) <= limits.maxDepth);
          assert.ok(partsOf(document.value) <= limits.maxParts);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("JSON from outside", () => {
  test("has the depth of its brackets, those in text left out", () => {
    for (const [text, depth] of [
      ["1", 0],
      ["[]", 1],
      ['[{"a": [1]}, {}]', 3],
      [String.raw`{"\"[[": "[\\"}`, 1],
      ["]]]", 0],
    ] as const) {
      assert.equal(jsonDepth(text), depth, text);
    }
    fc.assert(fc.property(fc.jsonValue(), (value) => jsonDepth(JSON.stringify(value)) === depthOf(value)));
  });

  test("is refused beyond its bounds, and when it is none", () => {
    assert.equal(readJson("[[[[[[1]]]]]]", limits).kind, "refused");
    assert.equal(readJson("x", limits).kind, "refused");
    assert.equal(jsonValue("[1", limits), undefined);
    const many = JSON.stringify(Array.from({ length: 300 }, () => 1));
    assert.equal(jsonValue(many, limits), undefined, "too many parts");
    assert.deepEqual(jsonValue(`["${",{".repeat(300)}"]`, limits), [",{".repeat(300)], "one text");
    assert.deepEqual(jsonValue("[1]", limits), [1]);
  });
});
