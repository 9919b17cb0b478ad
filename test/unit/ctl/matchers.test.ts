import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { matchesRegex, replacedByRegex } from "../../../src/ctl/explain/matchers.ts";
import { UnevaluatedError } from "../../../src/ctl/explain/unevaluated-error.ts";

describe("replacedByRegex() does as RE2::GlobalReplace", () => {
  for (const [value, regex, substitution, expected] of [
    ["/Public/x", "(?i)^/public/(.*)$", String.raw`/admin/\1`, "/admin/x"],
    ["/a/b/a", "/a", "/c", "/c/b/c"],
    ["/a", "(?P<word>a)", String.raw`\0\1\\`, String.raw`/aa` + "\\"],
    ["/aab", "a*", "-", "-/-b-"],
    ["/x", "nothing", "-", "/x"],
  ] as const)
    test(`${value} by ${regex}`, () => {
      assert.equal(replacedByRegex(value, regex, substitution), expected);
    });
});

test("an expression that cannot be evaluated is an error, not one that matches nothing", () => {
  for (const evaluate of [() => matchesRegex("(", "/"), () => replacedByRegex("/", "(", "")])
    assert.throws(evaluate, (error) => error instanceof UnevaluatedError && /"\("/.test(error.message));
});
