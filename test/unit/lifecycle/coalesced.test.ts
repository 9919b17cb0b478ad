import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { Coalesced } from "../../../src/lifecycle/coalesced.ts";

const pauseMs = 100;

describe("Coalesced", () => {
  test("all who ask at once are answered by one piece of work, those who ask during it by the next", async () => {
    const done: (readonly number[])[] = [];
    const first = Promise.withResolvers<void>();
    const coalesced = new Coalesced<number, string>(async (requests) => {
      done.push(requests);
      if (done.length === 1) await first.promise;
      return `work ${done.length}`;
    }, 0);
    const early = [1, 2, 3].map((request) => coalesced.ask(request));
    await new Promise((resolve) => setImmediate(resolve));
    const late = [4, 5].map((request) => coalesced.ask(request));
    assert.deepEqual(await Promise.all(late), ["work 2", "work 2"]);
    first.resolve();
    assert.deepEqual(await Promise.all(early), ["work 2", "work 2", "work 2"]);
    assert.deepEqual(done, [
      [1, 2, 3],
      [4, 5],
    ]);
  });

  test("five hundred who come one after the other within the pause cost two pieces of work, and all are answered", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      let works = 0;
      const coalesced = new Coalesced<number, number>(async (requests) => {
        works += 1;
        return requests.length;
      }, pauseMs);
      const answers: Promise<number>[] = [];
      for (let request = 0; request < 500; request += 1) {
        answers.push(coalesced.ask(request));
        await Promise.resolve();
        await Promise.resolve();
      }
      assert.equal(works, 1);
      mock.timers.tick(pauseMs);
      const counts = await Promise.all(answers);
      assert.equal(works, 2);
      assert.equal(counts.length, 500);
      assert.equal((counts[0] ?? 0) + (counts[499] ?? 0), 500);
    } finally {
      mock.timers.reset();
    }
  });

  test("who asked hears that the work has failed, and the next is done all the same", async () => {
    let works = 0;
    const coalesced = new Coalesced<string, string>(async () => {
      works += 1;
      if (works === 1) throw new Error("broken");
      return "done";
    }, 0);
    const [one, two] = [coalesced.ask("a"), coalesced.ask("b")];
    await assert.rejects(one, /broken/);
    await assert.rejects(two, /broken/);
    assert.equal(await coalesced.ask("c"), "done");
  });
});
