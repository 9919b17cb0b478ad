import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { delta, type RequestFacts, stateOfTheWorld } from "../../../../src/xds/protocol.ts";
import { typeUrl } from "../../../../src/xds/type-urls.ts";
import { resourceOfAny, type WireResource } from "../../../../src/xds/wire-resource.ts";
import { CachedAnswers } from "../../../../src/xdsproxy/cache/cached-answers.ts";

function resource(name: string): WireResource {
  const value = Buffer.concat([Buffer.from([0x0a, name.length]), Buffer.from(name)]);
  return resourceOfAny(Buffer.concat([Buffer.from([0x12, value.length]), value]), "1");
}

const of = (...names: readonly string[]): { version: string; resources: Map<string, WireResource> } => ({
  version: "7",
  resources: new Map(names.map((name) => [name, resource(name)])),
});
const cache = new Map([
  [typeUrl.cluster as string, of("a", "b")],
  [typeUrl.route as string, of("r", "s")],
]);
const request = (type: string, facts: Partial<RequestFacts> = {}): RequestFacts => ({
  ...{ typeUrl: type, nonce: "", error: undefined, names: [], unsubscribed: [], known: {}, version: "" },
  ...facts,
});
const namesOf = (resources: readonly WireResource[] = []): readonly string[] =>
  resources.map(({ name }) => name).toSorted();

describe("answers from the cache", () => {
  for (const protocol of [delta, stateOfTheWorld]) {
    const { method } = protocol;

    test(`give all of a wildcard type, and what is named of another, with ${method}`, () => {
      const answers = new CachedAnswers(protocol, cache);
      const clusters = answers.answer(request(typeUrl.cluster));
      assert.deepEqual([namesOf(clusters?.resources), clusters?.version], [["a", "b"], "7"]);
      assert.deepEqual(namesOf(answers.answer(request(typeUrl.route, { names: ["r"] }))?.resources), ["r"]);
    });

    test(`are empty for a type that was never acknowledged, so that Envoy goes on, with ${method}`, () => {
      const answer = new CachedAnswers(protocol, cache).answer(request(typeUrl.listener));
      assert.deepEqual([answer?.resources, answer?.version], [[], ""]);
    });

    test(`are none for secrets, nor for an acknowledgement, with ${method}`, () => {
      const answers = new CachedAnswers(protocol, cache);
      assert.equal(answers.answer(request(typeUrl.secret, { names: ["default"] })), undefined);
      const nonce = answers.answer(request(typeUrl.cluster))?.nonce ?? "";
      assert.equal(answers.answer(request(typeUrl.cluster, { nonce, version: "7" })), undefined);
      assert.equal(answers.answer(request(typeUrl.cluster, { nonce, error: "bad" })), undefined);
    });
  }

  test("say in delta what is not there, and send nothing that Envoy has", () => {
    const answers = new CachedAnswers(delta, cache);
    const answer = answers.answer(request(typeUrl.route, { names: ["r", "x"], known: { r: "1", old: "1" } }));
    assert.deepEqual(namesOf(answer?.resources), []);
    assert.deepEqual(answer?.removed.toSorted(), ["old", "x"]);
  });

  test("whatever an Envoy subscribes to in delta, it ends with what it wants of what is there", () => {
    const name = fc.constantFrom("r", "s", "x");
    const change = fc.record({ names: fc.uniqueArray(name), unsubscribed: fc.uniqueArray(name) });
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const answers = new CachedAnswers(delta, cache);
        const wants = new Set<string>();
        const has = new Set<string>();
        for (const { names, unsubscribed } of changes) {
          for (const one of unsubscribed) {
            wants.delete(one);
            has.delete(one);
          }
          for (const one of names) wants.add(one);
          const answer = answers.answer(request(typeUrl.route, { names, unsubscribed }));
          for (const { name: one } of answer?.resources ?? []) has.add(one);
          for (const one of answer?.removed ?? []) has.delete(one);
          const expected = [...wants].filter((one) => one !== "x");
          assert.deepEqual([...has].toSorted(), expected.toSorted());
        }
      }),
    );
  });

  test("whatever an Envoy names in state of the world, each change is answered with all of it", () => {
    const names = fc.uniqueArray(fc.constantFrom("r", "s", "x"));
    fc.assert(
      fc.property(fc.array(names), (series) => {
        const answers = new CachedAnswers(stateOfTheWorld, cache);
        let nonce = "";
        let before: readonly string[] = [];
        for (const wanted of series) {
          const answer = answers.answer(request(typeUrl.route, { names: wanted, nonce }));
          const isDue = nonce === "" || wanted.some((one) => !before.includes(one));
          assert.equal(answer !== undefined, isDue);
          if (answer !== undefined) {
            assert.deepEqual(namesOf(answer.resources), wanted.filter((one) => one !== "x").toSorted());
            ({ nonce } = answer);
          }
          before = wanted;
        }
      }),
    );
  });
});
