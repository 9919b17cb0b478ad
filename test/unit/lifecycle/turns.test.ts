import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, test } from "node:test";
import { Turns } from "../../../src/lifecycle/turns.ts";

describe("work in turns", () => {
  test("is done in the order in which it came, and never at once", async () => {
    const turns = new Turns();
    const done: number[] = [];
    const all = [1, 2, 3].map((number) => turns.run(() => done.push(number)));
    assert.deepEqual(done, []);
    await Promise.all(all);
    assert.deepEqual(done, [1, 2, 3]);
    assert.equal(turns.waiting, 0);
  });

  test("lets the event loop turn after ten milliseconds of it", async () => {
    let now = 0;
    const turns = new Turns(() => now);
    const done: number[] = [];
    for (let number = 0; number < 6; number += 1)
      void turns.run(() => {
        now += 4;
        done.push(number);
      });
    await nextTurn();
    assert.deepEqual(done, [0, 1, 2], "4 ms each: the third ends the turn");
    assert.equal(turns.waiting, 3);
    await nextTurn();
    assert.deepEqual(done, [0, 1, 2, 3, 4, 5]);
  });

  test("does one piece in each turn, however long it takes", async () => {
    let now = 0;
    const turns = new Turns(() => (now += 1_000));
    const all = [1, 2].map((number) => turns.run(() => number));
    await nextTurn();
    assert.equal(turns.waiting, 1);
    assert.deepEqual(await Promise.all(all), [1, 2]);
  });

  test("takes in what comes while it is done", async () => {
    const turns = new Turns();
    assert.equal(await turns.run(() => turns.run(() => "inner")), "inner");
  });

  test("ends for the one whose work fails, and goes on with the others", async () => {
    const turns = new Turns();
    const failing = turns.run(() => {
      throw new Error("no");
    });
    const sound = turns.run(() => Promise.resolve("sound"));
    await assert.rejects(failing, { message: "no" });
    assert.equal(await sound, "sound");
  });
});
