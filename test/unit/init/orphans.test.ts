import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isZombieOf, parsePids } from "../../../src/init/child-list.ts";
import { orphansAmong } from "../../../src/init/orphans.ts";

describe("orphansAmong()", () => {
  test("leaves the children of Node.js to it", () => {
    assert.deepEqual(orphansAmong([2, 3, 4], new Set([3, 9])), [2, 4]);
  });
});

describe("isZombieOf()", () => {
  const zombie = { pid: 7, startTime: 1, state: "Z", parent: 1, cpuTicks: 0 };
  for (const [name, expected, stat] of [
    ["a child that has ended is one", true, zombie],
    ["a running child is none", false, { ...zombie, state: "S" }],
    ["another process's zombie is none of ours", false, { ...zombie, parent: 2 }],
    ["a pid that nobody has is none", false, undefined],
  ] as const) {
    test(name, () => {
      assert.equal(isZombieOf(1, stat), expected);
    });
  }
});

describe("parsePids()", () => {
  test("takes pids and nothing else", () => {
    assert.deepEqual(parsePids("2 31 \n"), [2, 31]);
    assert.deepEqual(parsePids("self 1 sys 0 12x -3 44"), [1, 44]);
    assert.deepEqual(parsePids(""), []);
  });
});
