/** What refused responses said of a name, and in which order it is tried. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Undecided } from "../../../../src/xdsproxy/refusals/undecided.ts";

interface Value {
  readonly name: string;
  readonly order: number;
  readonly bytes: number;
  readonly text: string;
}

/** Refused responses in order, each with a text by name; null takes the name away. */
function refusedInOrder(
  responses: readonly Readonly<Record<string, string | null>>[],
  { isWhole = false, maxBytes = 1_000 } = {},
): Undecided<Value> {
  const undecided = new Undecided<Value>((a, b) => a.text === b.text, maxBytes);
  for (const [index, said] of responses.entries()) {
    const entries = Object.entries(said).flatMap(([name, text]) =>
      text === null ? [] : [{ name, order: index + 1, bytes: text.length, text }],
    );
    const removed = Object.keys(said).filter((name) => said[name] === null);
    undecided.refusedTogether({ entries, removed, isWhole });
  }
  return undecided;
}

function textsBefore(undecided: Undecided<Value>, name: string, order: number): readonly string[] {
  return undecided.before(name, order).map(({ text }) => text);
}

describe("what is undecided of a name", () => {
  const cases: readonly {
    readonly title: string;
    readonly responses: readonly Readonly<Record<string, string | null>>[];
    readonly isWhole?: boolean;
    readonly before: readonly string[];
    readonly isGone?: boolean;
  }[] = [
    { title: "nothing before the first", responses: [{ a: "1" }], before: [] },
    { title: "the newest first", responses: [{ a: "1" }, { a: "2" }, { a: "3" }], before: ["2", "1"] },
    { title: "nothing of others", responses: [{ b: "1" }, { a: "2", b: "2" }], before: [] },
    { title: "what is repeated once", responses: [{ a: "1" }, { a: "1" }, { a: "2" }], before: ["1"] },
    { title: "nothing that only repeats the last", responses: [{ a: "1" }, { a: "1" }], before: [] },
    {
      title: "nothing from before it was taken away",
      ...{ responses: [{ a: "1" }, { a: null }, { a: "2" }], before: [], isGone: true },
    },
    {
      title: "what came since it was taken away",
      ...{ responses: [{ a: "1" }, { a: null }, { a: "2" }, { a: "3" }], before: ["2"], isGone: true },
    },
    { title: "what a response in parts leaves out", responses: [{ a: "1" }, {}, { a: "2" }], before: ["1"] },
    {
      title: "nothing that a whole response leaves out",
      ...{ responses: [{ a: "1" }, {}, { a: "2" }], isWhole: true, before: [], isGone: true },
    },
    {
      title: "that a whole response left it out, though nothing was said before",
      ...{ responses: [{ b: "1" }, { a: "2" }], isWhole: true, before: [], isGone: true },
    },
  ];
  for (const { title, responses, isWhole = false, before, isGone = false } of cases)
    test(title, () => {
      const undecided = refusedInOrder(responses, { isWhole });
      assert.deepEqual(textsBefore(undecided, "a", responses.length), before);
      assert.equal(undecided.isGone("a"), isGone);
    });

  const three = [{ a: "1", b: "1" }, { a: "2", b: "2" }, { a: "3" }];

  test("without what is refused by itself", () => {
    const undecided = refusedInOrder(three);
    undecided.refused({ name: "a", order: 2 });
    assert.deepEqual(textsBefore(undecided, "a", 3), ["1"]);
    assert.deepEqual(textsBefore(undecided, "b", 3), ["2", "1"]);
  });

  test("without what is accepted, and all before it", () => {
    const undecided = refusedInOrder([{ a: null }, ...three]);
    undecided.accepted({ name: "a", order: 3 });
    assert.deepEqual(textsBefore(undecided, "a", 5), ["3"]);
    assert.equal(undecided.isGone("a"), false);
  });

  test("nothing of the names that a later response decides", () => {
    const undecided = refusedInOrder(three);
    undecided.decided(["a", "unknown"]);
    assert.deepEqual(textsBefore(undecided, "a", 4), []);
    assert.deepEqual(textsBefore(undecided, "b", 4), ["2", "1"]);
  });

  test("nothing at all once a later response says everything", () => {
    const undecided = refusedInOrder(three, { isWhole: true });
    undecided.decided();
    assert.deepEqual(textsBefore(undecided, "b", 4), []);
    // What that response had is not known to be gone.
    undecided.refusedTogether({
      entries: [{ name: "c", order: 4, bytes: 1, text: "4" }],
      removed: [],
      isWhole: true,
    });
    assert.equal(undecided.isGone("c"), false);
  });

  test("the newest alone when there is too much of it", () => {
    const undecided = refusedInOrder([{ a: "1" }, { a: "22" }, { a: "333" }], { maxBytes: 5 });
    assert.deepEqual(textsBefore(undecided, "a", 4), ["333"]);
  });
});
