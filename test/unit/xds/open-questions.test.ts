import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { OpenQuestions } from "../../../src/xds/open-questions.ts";

const limit = 100;

describe("OpenQuestions", () => {
  const open = (silent = new Set<string>()): OpenQuestions => new OpenQuestions(silent);

  test("a question is overdue once the limit is over", () => {
    const questions = open();
    questions.asked("clusters", 10);
    assert.equal(questions.overdue(109, limit), undefined);
    assert.equal(questions.overdue(110, limit), "clusters");
  });

  test("asking again does not make it younger, an answer ends it", () => {
    const questions = open();
    questions.asked("clusters", 0);
    questions.asked("clusters", 90);
    assert.equal(questions.overdue(100, limit), "clusters");
    questions.answered("clusters", 100);
    assert.equal(questions.overdue(300, limit), undefined);
  });

  test("an answer of any type shows that the server lives", () => {
    const questions = open();
    questions.asked("clusters", 0);
    questions.answered("routes", 90);
    assert.equal(questions.overdue(150, limit), undefined);
    assert.equal(questions.overdue(190, limit), "clusters");
  });

  test("while Envoy had not taken what came, nothing further could come", () => {
    const questions = open();
    questions.asked("clusters", 0);
    questions.answered("routes", 10);
    questions.deliveryDone(150);
    assert.equal(questions.overdue(249, limit), undefined);
    assert.equal(questions.overdue(250, limit), "clusters");
  });

  test("on a new connection everything is asked anew", () => {
    const questions = open();
    questions.asked("clusters", 0);
    questions.redialled(90);
    assert.equal(questions.overdue(189, limit), undefined);
    assert.equal(questions.overdue(190, limit), "clusters");
  });

  test("what somebody else has answered is no question", () => {
    const questions = open();
    questions.asked("clusters", 0);
    questions.settled("clusters");
    assert.equal(questions.overdue(500, limit), undefined);
  });

  test("a type that a living server never answers ends one connection, not each, until it is answered", () => {
    const silent = new Set<string>();
    const endsConnection = (): boolean => {
      const questions = open(silent);
      questions.asked("odd", 0);
      questions.answered("clusters", 1);
      return questions.overdue(200, limit) === "odd";
    };
    assert.deepEqual([endsConnection(), endsConnection()], [true, false]);
    open(silent).answered("odd", 5);
    assert.equal(endsConnection(), true);
  });

  test("nothing is overdue within the limit of the last answer, nor anything that was answered", () => {
    const type = fc.constantFrom("a", "b", "c");
    const step = fc.record({
      kind: fc.constantFrom("asked" as const, "answered" as const),
      type,
      after: fc.nat(60),
    });
    fc.assert(
      fc.property(fc.array(step), fc.nat(300), (steps, wait) => {
        const questions = open();
        const waiting = new Map<string, number>();
        let now = 0;
        let last: number | undefined;
        for (const { kind, type: of, after } of steps) {
          now += after;
          questions[kind](of, now);
          if (kind === "answered") {
            last = now;
            waiting.delete(of);
          } else if (!waiting.has(of)) waiting.set(of, now);
        }
        now += wait;
        const late = [...waiting].filter(([, at]) => now - at >= limit);
        const isLate = late.length > 0 && (last === undefined || now - last >= limit);
        assert.equal(questions.overdue(now, limit), isLate ? late[0]?.[0] : undefined);
      }),
    );
  });
});
