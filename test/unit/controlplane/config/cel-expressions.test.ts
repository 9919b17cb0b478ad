/** Of CEL that is taken which Envoy compiles: what it does not would cost a listener. The right column is Envoy's own word. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isCelExpression } from "../../../../src/controlplane/config/cel-expressions.ts";

const wrapped = (count: number, before: string, after: string): string =>
  `${before.repeat(count)}a${after.repeat(count)}`;

const taken: readonly string[] = [
  "response.code >= 400",
  "request.headers['x-a'].startsWith('b') && !has(request.headers.c)",
  "!('x' in request.headers) || connection.mtls ? a : b",
  "size(a) == a.size() && [1, 2][0] == {'a': 1}['a']",
  "request.time.getHours() > 8 && request.time.getHours('Europe/Vienna') < 20",
  "request.duration > duration('1s') && timestamp(a) < request.time",
  "a.matches('^/api/[0-9]+$') && matches(a, b) && a.matches(b + '(')",
  "re.extract(a, 'b', 'c') == 'c'",
  "a == '((((((((((((((((((((((((((((((((((((((((' // ((((((((((((((((((((((((((((((",
  Array.from({ length: 300 }, () => "request.path == 'a'").join(" || "),
  wrapped(15, "(", ")"),
];

const refused: readonly string[] = [
  "",
  "a ==",
  "foo(request.path)",
  "request.path.foo()",
  "string(response.code) == '200'",
  "size(a, b)",
  "a.contains()",
  "a.lowerAscii() == 'b'",
  "cel.bind(x, 1, x)",
  "a.exists(x, x == 1)",
  "a.map(x, x)",
  "[1].all(x, x > 0)",
  "has(a)",
  "a.matches('(')",
  "matches(a, '(?=a)')",
  "true && (b ? a.matches('[') : c)",
  "a.matches('a{200}')",
  "package == 'a'",
  "!-a",
  "9223372036854775808 > a",
  wrapped(33, "(", ")"),
  wrapped(33, "size(", ")"),
  wrapped(33, "", ".b"),
  wrapped(33, "a + ", ""),
  wrapped(16, "!(a == (", "))"),
  `a == '${"a".repeat(100_000)}'`,
];

describe("a condition in CEL", () => {
  for (const expression of taken)
    test(`may be ${expression.slice(0, 80)}`, () => {
      assert.equal(isCelExpression(expression), true);
    });
  for (const expression of refused)
    test(`may not be ${expression.slice(0, 80)}`, () => {
      assert.equal(isCelExpression(expression), false);
    });
});
