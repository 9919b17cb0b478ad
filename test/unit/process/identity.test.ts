import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isSameAndRunning, parseProcessStat } from "../../../src/process/identity.ts";

/** A line as the kernel writes it, with the fields that matter told apart. */
function statLine(command: string, state = "S"): string {
  const after = `${state} 7 42 42 0 -1 4194560 100 0 0 0 250 31 9 9 20 0 9 0 123456 1000000 200 18446744073709551615`;
  return `42 (${command}) ${after}${" 0".repeat(26)}\n`;
}

describe("parseProcessStat()", () => {
  for (const command of [
    "envoy",
    "wrk:worker 0",
    "a) S 1 (b",
    "(sd-pam)",
    ")",
    "",
    "two\nlines",
    "))) R 0 0 0",
  ]) {
    test(`reads past the command ${JSON.stringify(command)}`, () => {
      assert.deepEqual(parseProcessStat(statLine(command)), {
        pid: 42,
        startTime: 123_456,
        state: "S",
        parent: 7,
        cpuTicks: 281,
      });
    });
  }

  for (const text of [
    "",
    "42",
    "42 (envoy",
    "42 envoy) S 7",
    "42 (envoy) S 7",
    statLine("envoy").replace("123456", "soon"),
    statLine("envoy", "42"),
    ")42 (",
  ]) {
    test(`${JSON.stringify(text.slice(0, 30))} is no such line`, () => {
      assert.equal(parseProcessStat(text), undefined);
    });
  }
});

describe("isSameAndRunning()", () => {
  const identity = { pid: 42, startTime: 123_456 };
  for (const [name, expected, stat] of [
    ["a sleeping process lives", true, parseProcessStat(statLine("envoy"))],
    ["a stopped process lives", true, parseProcessStat(statLine("envoy", "T"))],
    ["a process in the kernel lives", true, parseProcessStat(statLine("envoy", "D"))],
    ["a zombie does not", false, parseProcessStat(statLine("envoy", "Z"))],
    ["a dead one does not", false, parseProcessStat(statLine("envoy", "X"))],
    ["nobody does not", false, undefined],
    [
      "another one with its pid is not it",
      false,
      parseProcessStat(statLine("envoy").replace("123456", "123457")),
    ],
  ] as const) {
    test(name, () => {
      assert.equal(isSameAndRunning(identity, stat), expected);
    });
  }
});
