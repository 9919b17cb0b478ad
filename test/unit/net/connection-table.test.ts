import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connectionLimits, ConnectionTable } from "../../../src/net/connection-table.ts";

const limits = { most: 4, mostOfOneSource: 3 };

function tableOf(open: readonly (readonly [name: string, source: string])[]): ConnectionTable<string> {
  const table = new ConnectionTable<string>(limits);
  for (const [name, source] of open) assert.deepEqual(table.open(name, source), []);
  return table;
}

describe("ConnectionTable", () => {
  test("the one that has waited longest makes room for one more of its source", () => {
    const table = tableOf([
      ["b1", "b"],
      ["a1", "a"],
      ["a2", "a"],
      ["a3", "a"],
    ]);
    assert.deepEqual(table.open("a4", "a"), ["a1"]);
    assert.deepEqual(table.open("a5", "a"), ["a2"]);
    assert.equal(table.size, 4);
  });

  test("whoever has most makes room for others", () => {
    const table = tableOf([
      ["b1", "b"],
      ["a1", "a"],
      ["a2", "a"],
      ["a3", "a"],
    ]);
    assert.deepEqual(table.open("c1", "c"), ["a1"]);
    assert.deepEqual(table.open("c2", "c"), ["a2"]);
    assert.deepEqual(table.open("d1", "d"), ["c1"]);
  });

  test("a connection at work is not closed, and waits anew when it is done", () => {
    const table = tableOf([
      ["a1", "a"],
      ["a2", "a"],
      ["a3", "a"],
    ]);
    table.work("a1");
    assert.equal(table.busy, 1);
    assert.deepEqual(table.open("a4", "a"), ["a2"]);
    table.wait("a1");
    assert.equal(table.busy, 0);
    assert.deepEqual(table.open("a5", "a"), ["a3"]);
    assert.deepEqual(table.open("a6", "a"), ["a4"]);
    assert.deepEqual(table.open("a7", "a"), ["a1"]);
  });

  test("where all are at work, the newcomer goes", () => {
    const table = tableOf([
      ["a1", "a"],
      ["b1", "b"],
      ["c1", "c"],
      ["d1", "d"],
    ]);
    for (const name of ["a1", "b1", "c1", "d1"]) table.work(name);
    assert.deepEqual(table.open("e1", "e"), ["e1"]);
    assert.equal(table.size, 4);
    table.close("a1");
    assert.equal(table.busy, 3);
    assert.deepEqual(table.open("e2", "e"), []);
  });

  test("while descriptors run out one goes for each that comes, and none where all are at work", () => {
    const table = tableOf([["a1", "a"]]);
    assert.deepEqual(table.open("b1", "b", true), ["a1"]);
    table.work("b1");
    assert.deepEqual(table.open("c1", "c", true), []);
    assert.equal(table.size, 2);
  });

  test("a flood of any size leaves no more than the limits, and the newest is among them", () => {
    const table = new ConnectionTable<number>(limits);
    const open = new Set<number>();
    for (let name = 0; name < 1_000; name += 1) {
      const victims = table.open(name, name % 7 < 5 ? "flood" : `other-${name % 3}`);
      open.add(name);
      for (const victim of victims) open.delete(victim);
      assert.ok(open.has(name));
      assert.ok(open.size <= limits.most);
      assert.equal(open.size, table.size);
    }
  });
});

describe("connectionLimits()", () => {
  for (const [descriptors, most, mostOfOneSource] of [
    [32, 16, 12],
    [256, 64, 48],
    [1_024, 256, 192],
    [1_048_576, 1_024, 768],
    [Number.MAX_SAFE_INTEGER, 1_024, 768],
  ] as const) {
    test(`${most} of ${descriptors}`, () => {
      assert.deepEqual(connectionLimits(descriptors), { most, mostOfOneSource });
    });
  }
});
