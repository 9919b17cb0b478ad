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

  test("stops long work for what has come meanwhile, and goes on with it", async () => {
    let now = 0;
    const turns = new Turns(() => now);
    const done: string[] = [];
    function* long(): Generator<void, string> {
      for (let step = 1; step <= 6; step += 1) {
        now += 4;
        done.push(`step ${step}`);
        yield;
      }
      return "end";
    }
    const result = turns.steps(long());
    void turns.run(() => done.push("short"));
    assert.equal(await result, "end");
    assert.deepEqual(done, [...["step 1", "step 2", "step 3", "short"], ...["step 4", "step 5", "step 6"]]);
  });

  test("rejects with what long work throws", async () => {
    function* failing(): Generator<void, never> {
      yield;
      throw new Error("no more");
    }
    await assert.rejects(new Turns().steps(failing()), /no more/);
  });
});
