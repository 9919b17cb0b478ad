import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SharedAnswer } from "../../../src/lifecycle/shared-answer.ts";

describe("SharedAnswer", () => {
  test("asks once for all who come at once, and again when the answer is too old", async () => {
    let now = 1_000;
    let asked = 0;
    const shared = new SharedAnswer(
      () => Promise.resolve((asked += 1)),
      100,
      () => now,
    );
    assert.deepEqual(await Promise.all([shared.get(), shared.get(), shared.get()]), [1, 1, 1]);
    now = 1_099;
    assert.equal(await shared.get(), 1);
    now = 1_100;
    assert.equal(await shared.get(), 2);
  });

  test("asks nothing beside a question that is under way, however long that takes", async () => {
    let now = 0;
    const answers: ((value: string) => void)[] = [];
    const shared = new SharedAnswer(
      () =>
        new Promise<string>((resolve) => {
          answers.push(resolve);
        }),
      100,
      () => now,
    );
    const early = shared.get();
    now = 10_000;
    const late = shared.get();
    assert.equal(answers.length, 1);
    answers[0]?.("slow");
    assert.deepEqual(await Promise.all([early, late]), ["slow", "slow"]);
    // It is as old as its question.
    void shared.get();
    assert.equal(answers.length, 2);
  });

  test("an answer to a question from before a given moment is of no use, be it given or under way", async () => {
    let now = 0;
    const answers: ((value: string) => void)[] = [];
    const shared = new SharedAnswer(
      () =>
        new Promise<string>((resolve) => {
          answers.push(resolve);
        }),
      100,
      () => now,
    );
    const early = shared.get();
    now = 10;
    const late = shared.get(10);
    assert.equal(answers.length, 2);
    answers[0]?.("before");
    assert.equal(await early, "before");
    // The end of the earlier question does not end the later one.
    now = 1_000;
    const later = shared.get(10);
    assert.equal(answers.length, 2);
    answers[1]?.("after");
    assert.deepEqual(await Promise.all([late, later]), ["after", "after"]);
  });

  test("shares a failure as well, and asks again after it", async () => {
    let now = 0;
    let asked = 0;
    const shared = new SharedAnswer(
      () => Promise.reject(new Error(`failure ${(asked += 1)}`)),
      100,
      () => now,
    );
    await assert.rejects(shared.get(), /failure 1/);
    await assert.rejects(shared.get(), /failure 1/);
    now = 100;
    await assert.rejects(shared.get(), /failure 2/);
  });
});
