import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { delta, type ResponseFacts } from "../../../../src/xds/protocol.ts";
import { typeUrl } from "../../../../src/xds/type-urls.ts";
import { resourceOfAny, type WireResource } from "../../../../src/xds/wire-resource.ts";
import { replaceField } from "../../../../src/xds/wire-edit.ts";
import type { AcceptedType } from "../../../../src/xdsproxy/cache/accepted-resources.ts";
import { type Findings, type Outcome, outcomeOf } from "../../../../src/xdsproxy/refusals/outcome.ts";
import { RefusedResponse, type ResponseEntry } from "../../../../src/xdsproxy/refusals/refused-response.ts";

const at = new Date(0);

/** A resource of this name that says this. */
function resource(name: string, text: string): WireResource {
  const value = Buffer.concat([
    Buffer.from([0x0a, name.length]),
    Buffer.from(name),
    Buffer.from([0x12, text.length]),
    Buffer.from(text),
  ]);
  return resourceOfAny(replaceField(Buffer.from([0x12, 0]), 2, value), "1");
}

function response(texts: Readonly<Record<string, string>>, removed: readonly string[] = []): ResponseFacts {
  const resources = Object.entries(texts).map(([name, text]) => resource(name, text).bytes);
  return { ...{ typeUrl: typeUrl.route, nonce: "1", version: "2" }, resources, removed };
}

function accepted(texts: Readonly<Record<string, string>>): AcceptedType {
  return {
    version: "1",
    has: (name) => Object.hasOwn(texts, name),
    get: (name) => (Object.hasOwn(texts, name) ? resource(name, texts[name] ?? "") : undefined),
  };
}

interface Given extends Partial<Omit<Findings, "blamed" | "found" | "given">> {
  readonly response: ResponseFacts;
  readonly bad: readonly string[];
  readonly unknown?: readonly string[];
  /** Undefined when it is not known what Envoy was left with. */
  readonly given: readonly string[] | undefined;
  readonly source?: "control plane" | "cache";
  readonly later?: ResponseFacts;
  readonly full?: boolean;
}

function outcome({
  response: sent,
  bad,
  given,
  unknown = [],
  source = "control plane",
  ...more
}: Given): Outcome {
  const { later, full = false, ...changes } = more;
  const answered = { ...{ response: sent, source, full, goesToCache: true }, error: "bad" };
  const run = new RefusedResponse(delta, answered, 1);
  if (later !== undefined) run.isFollowedBy(later);
  const named = (names: readonly string[]): readonly ResponseEntry[] =>
    run.entries.filter(({ name }) => names.includes(name));
  const others = run.entries.filter(({ name }) => !bad.includes(name) && !unknown.includes(name));
  run.trust(others);
  return outcomeOf({
    ...{ run, known: undefined, reason: "bad", at, hadBefore: () => false, isKept: true },
    blamed: [...named(bad), ...named(unknown)],
    found: { refused: named(bad), accepted: others, unknown: named(unknown) },
    given: given === undefined ? undefined : new Set(given),
    ...changes,
  });
}

const summary = ({ acknowledged, refusals }: Outcome): unknown => ({
  changed: acknowledged?.changed.map(({ name }) => name),
  removed: acknowledged?.removed,
  full: acknowledged?.full,
  refused: refusals.map(({ name, serves, isKept }) => `${name}: ${serves}${isKept ? "" : ", lost"}`),
});

describe("outcomeOf()", () => {
  test("keeps what Envoy accepts and what it was given back, and tells the rest", () => {
    const found = outcome({
      response: response({ a: "bad", b: "2" }),
      ...{ bad: ["a"], known: accepted({ a: "1" }), given: ["a"] },
    });
    assert.deepEqual(summary(found), {
      ...{ changed: ["b", "a"], removed: [], full: false, refused: ["a: last accepted"] },
    });
    assert.deepEqual(found.accepted, ["b"]);
  });

  test("what was never accepted serves nothing, and is lost to nobody", () => {
    const found = outcome({ response: response({ a: "bad" }), bad: ["a"], given: [] });
    assert.deepEqual(summary(found), {
      ...{ changed: [], removed: [], full: false, refused: ["a: nothing, lost"] },
    });
    assert.equal(found.refusals[0]?.wasAccepted, false);
  });

  test("an Envoy that had something keeps it, given back or not", () => {
    const had = { known: accepted({ a: "1" }), hadBefore: () => true, given: undefined };
    const found = outcome({ response: response({ a: "bad" }), bad: ["a"], ...had });
    assert.deepEqual(summary(found), {
      ...{ changed: undefined, removed: undefined, full: undefined, refused: ["a: last accepted"] },
    });
  });

  test("an Envoy that refuses what another accepted has nothing to keep", () => {
    const same = { known: accepted({ a: "1" }), hadBefore: () => true, given: [] };
    const found = outcome({ response: response({ a: "1" }), bad: ["a"], ...same });
    assert.equal(found.refusals[0]?.serves, "nothing");
  });

  test("what a later response says anew is neither told nor kept", () => {
    const found = outcome({
      response: response({ a: "bad", b: "2" }, ["c"]),
      ...{ bad: ["a"], given: ["a"], known: accepted({ a: "1" }), later: response({ a: "3" }, ["b", "c"]) },
    });
    assert.deepEqual(summary(found), { changed: [], removed: [], full: false, refused: [] });
  });

  test("what came from the cache is not kept again", () => {
    const found = outcome({
      response: response({ a: "bad", b: "2" }),
      bad: ["a"],
      given: [],
      source: "cache",
    });
    assert.equal(found.acknowledged, undefined);
    assert.deepEqual(found.accepted, []);
    assert.equal(found.refusals.length, 1);
  });

  test("the whole is kept as a whole only when nothing that was accepted is missing in it", () => {
    const texts = { a: "bad", b: "2" };
    const whole = { response: response(texts), bad: ["a"], full: true };
    const fullOf = (given: Omit<Given, "response" | "bad">): boolean | undefined =>
      outcome({ ...whole, ...given }).acknowledged?.full;
    assert.equal(fullOf({ given: [] }), true);
    assert.equal(fullOf({ given: ["a"], known: accepted({ a: "1" }) }), true);
    assert.equal(fullOf({ given: [], known: accepted({ a: "1" }) }), false);
    assert.equal(fullOf({ given: [], unknown: ["b"] }), false);
    assert.equal(fullOf({ given: [], later: response({ c: "1" }, ["b"]) }), false);
  });

  test("whatever is found, nothing that is refused is kept as it was sent, and no name is told twice", () => {
    const name: fc.Arbitrary<string> = fc.constantFrom("a", "b", "c", "d");
    const names = fc.uniqueArray(name);
    const sent = fc.dictionary(name, fc.constant("2"));
    fc.assert(
      fc.property(sent, names, names, names, fc.boolean(), (texts, bad, old, given, full) => {
        const known = accepted(Object.fromEntries(old.map((one) => [one, "1"])));
        const found = outcome({ response: response(texts), bad, known, given, full });
        const isRefused = (one: string): boolean => bad.includes(one) && one in texts;
        const told = found.refusals.map((refusal) => refusal.name);
        assert.deepEqual(told.toSorted(), Object.keys(texts).filter(isRefused).toSorted());
        for (const { name: one, bytes } of found.acknowledged?.changed ?? []) {
          const isAsSent = Buffer.compare(bytes, resource(one, "2").bytes) === 0;
          assert.equal(isAsSent, !isRefused(one));
          if (isRefused(one)) assert.ok(given.includes(one) && old.includes(one));
        }
        for (const { name: one, serves, isKept } of found.refusals) {
          assert.equal(serves === "last accepted", given.includes(one));
          assert.equal(isKept, old.includes(one));
        }
      }),
    );
  });
});
