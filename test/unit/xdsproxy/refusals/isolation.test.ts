import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PartAnswer } from "../../../../src/xdsproxy/downstream/agent-responses.ts";
import { isolate } from "../../../../src/xdsproxy/refusals/isolation.ts";
import { seeded } from "../../../support/mutate.ts";

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
const sorted = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b);

/** An Envoy that refuses every part which has one of these. */
function envoyThatRefuses(culprits: ReadonlySet<number>): {
  readonly attempt: (part: readonly number[]) => Promise<PartAnswer>;
  readonly tries: (readonly number[])[];
} {
  const tries: (readonly number[])[] = [];
  return {
    tries,
    attempt: async (part) => {
      tries.push(part);
      return part.some((one) => culprits.has(one)) ? "refused" : "accepted";
    },
  };
}

describe("the culprits of a refused response", () => {
  test("are found whoever they are, and whatever Envoy's words name, and the others are accepted", async () => {
    const random = seeded(7);
    for (let round = 0; round < 300; round += 1) {
      const count = 1 + Math.floor(random() * 200);
      const culprits = new Set(numbers(1 + Math.floor(random() * 4)).map(() => Math.floor(random() * count)));
      const named = new Set(numbers(3).map(() => Math.floor(random() * count)));
      const { attempt, tries } = envoyThatRefuses(culprits);
      const found = await isolate(numbers(count), (one) => named.has(one), attempt);
      assert.deepEqual(sorted(found.refused), sorted([...culprits]));
      assert.deepEqual(sorted([...found.refused, ...found.accepted]), numbers(count));
      assert.deepEqual(found.unknown, []);
      assert.ok(tries.length <= 64, `${tries.length} tries`);
    }
  });

  test("need no try when there is one suspect, and two when the words are right", async () => {
    const one = envoyThatRefuses(new Set([0]));
    assert.deepEqual((await isolate([0], () => true, one.attempt)).refused, [0]);
    assert.equal(one.tries.length, 0);
    const many = envoyThatRefuses(new Set([700]));
    assert.deepEqual((await isolate(numbers(1_000), (each) => each === 700, many.attempt)).refused, [700]);
    assert.equal(many.tries.length, 2);
  });

  test("are nobody when every part is accepted", async () => {
    const { attempt } = envoyThatRefuses(new Set());
    const found = await isolate(numbers(9), () => false, attempt);
    assert.deepEqual([found.refused, sorted(found.accepted)], [[], numbers(9)]);
  });

  test("take others with them when there are too many to find", async () => {
    const culprits = new Set(numbers(1_000).filter((one) => one % 3 === 0));
    const { attempt, tries } = envoyThatRefuses(culprits);
    const found = await isolate(numbers(1_000), () => false, attempt);
    assert.equal(tries.length, 64);
    assert.ok([...culprits].every((one) => found.refused.includes(one)));
    assert.equal(found.refused.length + found.accepted.length, 1_000);
  });

  test("stay unknown when Envoy answers no more", async () => {
    const answers: PartAnswer[] = ["accepted", "refused", "void"];
    const found = await isolate(
      numbers(8),
      () => false,
      async () => answers.shift() ?? "void",
    );
    assert.deepEqual([found.accepted, found.refused, found.unknown], [[0, 1, 2, 3], [], [4, 5, 6, 7]]);
  });
});
