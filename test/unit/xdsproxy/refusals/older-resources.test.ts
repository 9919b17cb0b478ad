/** In which order what was said before is tried in place of what Envoy refuses. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PartAnswer } from "../../../../src/xdsproxy/downstream/agent-responses.ts";
import { isSame, tryOlder } from "../../../../src/xdsproxy/refusals/older-resources.ts";
import type { ResponseEntry } from "../../../../src/xdsproxy/refusals/refused-response.ts";
import { Undecided } from "../../../../src/xdsproxy/refusals/undecided.ts";

function entry(name: string, text: string, order: number): ResponseEntry {
  const bytes = Buffer.from(text);
  return {
    ...{ name, order, bytes: bytes.length },
    resource: () => ({ name, version: text, bytes }),
    isLike: (other) => Buffer.compare(bytes, other.bytes) === 0,
  };
}

/** Values by name, oldest first; the last one of each is the one that is refused. */
async function tried(
  said: Readonly<Record<string, readonly string[]>>,
  answer: (texts: readonly string[]) => PartAnswer,
  maxTries = 64,
): Promise<{ readonly isOver: boolean; readonly parts: readonly string[] }> {
  const undecided = new Undecided<ResponseEntry>(isSame);
  const length = Math.max(...Object.values(said).map((texts) => texts.length));
  let refused: readonly ResponseEntry[] = [];
  for (let order = 1; order <= length; order += 1) {
    refused = Object.entries(said).flatMap(([name, texts]) => {
      const text = texts.at(order - 1 - length);
      return text === undefined ? [] : [entry(name, text, order)];
    });
    undecided.refusedTogether({ entries: refused, removed: [], isWhole: false });
  }
  const parts: string[] = [];
  const isOver = await tryOlder(
    refused,
    undecided,
    (part) => {
      const texts = part.map(({ name, resource }) => `${name}=${resource().version}`);
      parts.push(texts.join());
      return Promise.resolve(answer(texts));
    },
    maxTries,
  );
  return { isOver, parts };
}

const unlessBad = (texts: readonly string[]): PartAnswer =>
  texts.some((text) => text.includes("bad")) ? "refused" : "accepted";

describe("in place of what is refused", () => {
  test("nothing is tried when nothing was said before", async () => {
    assert.deepEqual(await tried({ a: ["bad 1"] }, unlessBad), { isOver: true, parts: [] });
  });

  test("the newest of each name is tried first, all at once", async () => {
    const { parts } = await tried({ a: ["1", "2", "bad 3"], b: ["1", "bad 2"] }, unlessBad);
    assert.deepEqual(parts, ["a=2,b=1"]);
  });

  test("older ones are tried only of what is refused again", async () => {
    const { parts } = await tried({ a: ["1", "bad 2", "bad 3"], b: ["1", "2", "bad 3"] }, unlessBad);
    assert.deepEqual(parts, ["a=bad 2,b=2", "a=bad 2", "b=2", "a=1"]);
  });

  test("nothing more is tried once Envoy says nothing", async () => {
    const outcome = await tried({ a: ["1", "2", "bad 3"] }, () => "void");
    assert.deepEqual(outcome, { isOver: false, parts: ["a=2"] });
  });

  test("no more is tried than may be", async () => {
    const texts = Array.from({ length: 20 }, (_, index) => `bad ${index}`);
    const { isOver, parts } = await tried({ a: texts, b: texts }, unlessBad, 7);
    assert.equal(isOver, true);
    assert.equal(parts.length, 7);
  });
});
