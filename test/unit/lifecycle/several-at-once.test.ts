import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { severalAtOnce } from "../../../src/lifecycle/several-at-once.ts";

describe("severalAtOnce()", () => {
  test("works on so many at a time, and tells what came of each in their order", async () => {
    let open = 0;
    let most = 0;
    const results = await severalAtOnce([5, 1, 4, 2, 3], 2, async (turns) => {
      open += 1;
      most = Math.max(most, open);
      for (let turn = 0; turn < turns; turn += 1) await nextTurn();
      open -= 1;
      return turns * 10;
    });
    assert.deepEqual(results, [50, 10, 40, 20, 30]);
    assert.equal(most, 2);
  });

  test("begins nothing more after a failure", async () => {
    const begun: number[] = [];
    const work = async (item: number): Promise<void> => {
      begun.push(item);
      await nextTurn();
      if (item === 1) throw new Error("one");
    };
    await assert.rejects(severalAtOnce([0, 1, 2, 3, 4, 5], 2, work), /one/);
    await nextTurn();
    assert.ok(!begun.includes(5), begun.join());
  });

  test("nothing comes of nothing", async () => {
    assert.deepEqual(await severalAtOnce([], 3, () => Promise.resolve(1)), []);
  });
});
