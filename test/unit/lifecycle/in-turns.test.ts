import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { atOnce, inTurns } from "../../../src/lifecycle/in-turns.ts";

/** Stops until the event loop has turned so often. */
function* untilTurned(times: number): Generator<void, number> {
  const state = { turned: 0 };
  const turn = (): void => {
    state.turned += 1;
    if (state.turned < times) setImmediate(turn);
  };
  setImmediate(turn);
  while (state.turned < times) yield;
  return state.turned;
}

function* failing(): Generator<void, never> {
  yield;
  throw new Error("no more");
}

describe("long work", () => {
  test("in turns lets the event loop turn, however long it takes", async () => {
    assert.equal(await inTurns(untilTurned(3)), 3);
  });

  test("at once comes to the same", () => {
    function* sum(): Generator<void, number> {
      let total = 0;
      for (let number = 1; number <= 4; number += 1) {
        total += number;
        yield;
      }
      return total;
    }
    assert.equal(atOnce(sum()), 10);
  });

  test("fails either way with what it throws", async () => {
    await assert.rejects(inTurns(failing()), /no more/);
    assert.throws(() => atOnce(failing()), /no more/);
  });
});
