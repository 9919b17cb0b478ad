import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { unquoteGo } from "../../../../src/config/sources/go-quote.ts";

describe("unquoteGo()", () => {
  for (const [literal, text] of [
    [String.raw`"plain"`, "plain"],
    [String.raw`""`, ""],
    [String.raw`"a=\"b\" \\ c"`, 'a="b" \\ c'],
    [String.raw`"\a\b\f\n\r\t\v"`, "\u0007\b\f\n\r\t\v"],
    [String.raw`"\x1b[31mred\x1b[0m"`, "\u001B[31mred\u001B[0m"],
    [String.raw`"\303\251 \u00e9 \U0001f600 é 😀"`, "é é 😀 é 😀"],
    [String.raw`"\xc3\xa9"`, "é"],
    [String.raw`"\xff"`, "\uFFFD"],
    ['`raw \\n "text"`', 'raw \\n "text"'],
  ] as const) {
    test(`reads ${literal}`, () => {
      assert.equal(unquoteGo(literal), text);
    });
  }

  for (const literal of [
    "plain",
    '"',
    '"open',
    '"a"b"',
    '"new\nline"',
    String.raw`"\'"`,
    String.raw`"\/"`,
    String.raw`"\x1"`,
    String.raw`"\400"`,
    String.raw`"\ud83d"`,
    String.raw`"\U00110000"`,
    String.raw`"\"`,
    "`a`b`",
    "",
  ]) {
    test(`refuses ${JSON.stringify(literal)}`, () => {
      assert.equal(unquoteGo(literal), undefined);
    });
  }
});
