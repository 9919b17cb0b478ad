import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AdminAnswer, AdminQuestions, describeBusy } from "../../../../src/envoy/admin/question.ts";

/** What happens while a question is open. */
interface Question {
  readonly tookMs: number;
  /** Clock ticks that the main thread used; undefined when it is gone. */
  readonly ticks: number | undefined;
  readonly answers?: boolean;
}

/** The answers to these questions, one after the other. */
async function answersTo(questions: readonly Question[]): Promise<readonly AdminAnswer<string>[]> {
  let ticks: number | undefined = 100;
  let now = 0;
  const asked = new AdminQuestions(
    () => ticks,
    () => now,
  );
  const answers: AdminAnswer<string>[] = [];
  for (const { tookMs, ticks: used, answers: isAnswered = false } of questions) {
    answers.push(
      await asked.ask(async () => {
        now += tookMs;
        ticks = used === undefined || ticks === undefined ? undefined : ticks + used;
        if (!isAnswered) throw new Error("timed out");
        return "stats";
      }),
    );
  }
  return answers;
}

describe("an Envoy whose admin interface is silent", () => {
  test("is busy while its main thread works, with the age of its silence, until it answers", async () => {
    const answers = await answersTo([
      { tookMs: 1_000, ticks: 90 },
      { tookMs: 1_000, ticks: 1 },
      { tookMs: 10, ticks: 0, answers: true },
      { tookMs: 1_000, ticks: 90 },
    ]);
    assert.deepEqual(answers, [
      { kind: "busy", forMs: 1_000 },
      { kind: "busy", forMs: 2_000 },
      { kind: "answered", value: "stats" },
      { kind: "busy", forMs: 1_000 },
    ]);
    assert.match(describeBusy(61_400), /busy.*61 s$/);
  });

  for (const [name, question] of [
    ["whose main thread does nothing is not busy", { tookMs: 1_000, ticks: 0 }],
    ["that is gone is not busy", { tookMs: 1_000, ticks: undefined }],
    ["and refuses connections at once is not busy, however much it works", { tookMs: 3, ticks: 90 }],
  ] as const) {
    test(name, async () => {
      assert.deepEqual(await answersTo([question]), [{ kind: "silent", reason: "timed out" }]);
    });
  }
});
