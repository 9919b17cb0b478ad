import assert from "node:assert/strict";
import { test } from "node:test";
import { isForeground } from "../../../src/init/terminal-signals.ts";

for (const [name, stat, expected] of [
  ["the terminal's foreground group", "71 (node) S 1 71 70 34816 71 4194304 0", true],
  ["a background group of the terminal", "71 (node) S 1 71 70 34816 99 4194304 0", false],
  ["a process without a terminal", "71 (node) S 1 71 71 0 -1 4194304 0", false],
  ["a name with parentheses and spaces", "71 (a) (b c) S 1 71 70 34816 71 4194304 0", true],
] as const) {
  test(`foreground: ${name}`, () => {
    assert.equal(isForeground(stat), expected);
  });
}
