import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PrintedBootstrap } from "../../../../src/envoy/exits/printed-bootstrap.ts";

const own = (level: string, message: string): string =>
  `[2026-01-01 00:00:00.000][12][${level}][main] [source/server/server.cc:449] ${message}`;
const refusal = own("critical", "error `Unable to parse JSON as proto (INVALID_ARGUMENT: no): {");
const bare = (count: number): string[] => Array.from({ length: count }, (_, n) => `  "line": ${n},`);

function log(lines: readonly string[]): { readonly passed: readonly string[]; readonly leftOut: number } {
  const printed = new PrintedBootstrap();
  return { passed: lines.filter((line) => printed.passes(line)), leftOut: printed.leftOut };
}

describe("PrintedBootstrap", () => {
  for (const [name, first] of [
    ["Envoy 1.40's", refusal],
    ["an earlier Envoy's", own("critical", "error initializing config '  {")],
    [
      "Istio's layout",
      "2026-01-01T00:00:00.000000Z\tcritical\tenvoy main source/server/server.cc:449\terror `no`: {",
    ],
  ] as const) {
    test(`passes the refusal on with its first lines, and counts the rest: ${name}`, () => {
      const more = bare(1_000);
      const { passed, leftOut } = log([own("info", "starting"), first, ...more]);
      assert.deepEqual(passed, [own("info", "starting"), first, ...more.slice(0, 10)]);
      assert.equal(leftOut, 990);
    });
  }

  test("leaves none of Envoy's own lines out", () => {
    const lines = [refusal, ...bare(10), own("debug", "destroying"), own("critical", "error `no` again")];
    assert.deepEqual(log(lines), { passed: lines, leftOut: 0 });
  });

  for (const [name, before] of [
    ["nothing", []],
    ["an error", [own("error", "error `in a filter`")]],
    ["a critical line", [own("critical", "assert failure: error `x`")]],
    ["a word like it without a layout", ["error `no`: {"]],
  ] as readonly [string, string[]][]) {
    test(`leaves none of a serving Envoy's access log out, after ${name}`, () => {
      const lines = [...before, ...bare(1_000)];
      assert.deepEqual(log(lines), { passed: lines, leftOut: 0 });
    });
  }
});
