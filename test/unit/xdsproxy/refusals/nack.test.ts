import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { typeUrl, wildcardTypes } from "../../../../src/xds/type-urls.ts";
import {
  mayReplace,
  meaningOf,
  type NackFacts,
  namesGivenUp,
  namesGone,
} from "../../../../src/xdsproxy/refusals/nack.ts";

const usual: NackFacts = {
  ...{ typeUrl: typeUrl.cluster, isDelta: true, asked: [] },
  ...{ isKnown: true, hadBefore: true, canSpare: true },
};

describe("meaningOf()", () => {
  const cases: readonly (readonly [string, Partial<NackFacts>, ReturnType<typeof meaningOf>])[] = [
    ["a refusal is taken apart", {}, "take apart"],
    ["the first Envoy of all is left as it is", { isKnown: false, hadBefore: false }, "leave"],
    [
      "the first Envoy's routes are taken apart: readiness does not count them",
      { typeUrl: typeUrl.route, isKnown: false, hadBefore: false },
      "take apart",
    ],
    ["a newcomer's is taken apart", { hadBefore: false }, "take apart"],
    ["what nobody could give back is not taken from Envoy", { canSpare: false }, "leave"],
    ["an Envoy without anything has nothing to lose", { canSpare: false, hadBefore: false }, "take apart"],
    ["who names clusters in state of the world is left alone", { isDelta: false, asked: ["a"] }, "leave"],
    ["who asks for all of them is not", { isDelta: false }, "take apart"],
    [
      "who names routes in state of the world is not",
      { typeUrl: typeUrl.route, isDelta: false, asked: ["a"] },
      "take apart",
    ],
  ];
  for (const [name, facts, meaning] of cases) {
    test(name, () => {
      assert.equal(meaningOf({ ...usual, ...facts }), meaning);
    });
  }
});

test("mayReplace() is false only where what is left out would be deleted", () => {
  for (const type of [typeUrl.cluster, typeUrl.listener, typeUrl.route, typeUrl.secret])
    for (const isDelta of [true, false])
      for (const asked of [[], ["a"]]) {
        const isDeleted = !isDelta && wildcardTypes.has(type) && asked.length > 0;
        assert.equal(mayReplace({ typeUrl: type, isDelta, asked }), !isDeleted);
      }
});

describe("namesGivenUp()", () => {
  const refused = new Set(["a", "b", ""]);

  test("names what state of the world no longer asks for, and not what has no name", () => {
    const facts = { typeUrl: typeUrl.route, isDelta: false, before: ["a", "b"], asked: ["b", "c"] };
    assert.deepEqual(namesGivenUp(refused, facts), ["a"]);
  });

  test("names nothing that this Envoy has not asked for before: it may still come to that", () => {
    const facts = { typeUrl: typeUrl.route, isDelta: false, asked: ["b"] };
    assert.deepEqual(namesGivenUp(refused, { ...facts, before: undefined }), []);
    assert.deepEqual(namesGivenUp(refused, { ...facts, before: ["b"] }), []);
  });

  test("names nothing in delta, nor of a type of which all is asked for", () => {
    const facts = { before: ["a"], asked: [] };
    assert.deepEqual(namesGivenUp(refused, { ...facts, typeUrl: typeUrl.route, isDelta: true }), []);
    assert.deepEqual(namesGivenUp(refused, { ...facts, typeUrl: typeUrl.cluster, isDelta: false }), []);
  });
});

test("namesGone() is what is taken away, and what is missing of the whole; never what is there", () => {
  const names = fc.array(fc.constantFrom("a", "b", "c", "d"));
  fc.assert(
    fc.property(names, names, names, fc.boolean(), (refused, here, removed, isFull) => {
      const gone = namesGone(new Set(refused), { names: here, removed, isFull });
      for (const name of removed) assert.ok(gone.includes(name));
      for (const name of refused)
        assert.equal(gone.includes(name), removed.includes(name) || (isFull && !here.includes(name)));
    }),
  );
});
