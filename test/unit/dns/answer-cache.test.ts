import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Answer, decode, encode } from "dns-packet";
import { AnswerCache, cacheKeyOf } from "../../../src/dns/answer/answer-cache.ts";
import { readQuery } from "../../../src/dns/wire/query.ts";
import { queryBytes } from "../../support/dns-client.ts";
import { soa } from "../../support/dns-upstream.ts";

const name = "www.example.com";

function address(ttl: number): Answer {
  return { type: "A", name, data: "198.51.100.7", ttl };
}

function answerWith(answers: readonly Answer[], authorities: readonly Answer[] = [], flags = 0x0180): Buffer {
  return encode({
    ...{ type: "response", id: 1, flags, questions: [{ name, type: "A" }] },
    ...{ answers: [...answers], authorities: [...authorities] },
  });
}

/** The TTLs of what is kept after `ms`; undefined when nothing is. */
function keptAfter(message: Buffer, ms: number, entries = 10): readonly (number | undefined)[] | undefined {
  const cache = new AnswerCache({ entries, staleMs: 0 });
  cache.put("key", message, 1_000);
  const kept = cache.take("key", 1_000 + ms);
  return kept && (decode(kept).answers ?? []).map((one) => ("ttl" in one ? one.ttl : undefined));
}

describe("an answer is kept", () => {
  test("until the first of its records ends, with what is left of each", () => {
    const message = answerWith([address(60), address(90)]);
    assert.deepEqual(keptAfter(message, 10_500), [50, 80]);
    assert.equal(keptAfter(message, 60_000), undefined);
  });

  test("for five minutes at most, and for 30 seconds that there is nothing", () => {
    assert.ok(keptAfter(answerWith([address(86_400)]), 299_999));
    assert.equal(keptAfter(answerWith([address(86_400)]), 300_000), undefined);
    const nothing = answerWith([], [soa("example.com", 3_600)], 0x0183);
    assert.deepEqual(keptAfter(nothing, 29_999), []);
    assert.equal(keptAfter(nothing, 30_000), undefined);
  });

  for (const [what, message] of [
    ["that says so", answerWith([address(0)])],
    ["whose TTL has its first bit set", answerWith([address(0x8000_0001)])],
    ["that was cut short", answerWith([address(60)], [], 0x0380)],
    ["that is a failure", answerWith([], [soa("example.com")], 0x0182)],
    ["that says that there is nothing, and not for how long", answerWith([], [], 0x0183)],
    ["that lies about its length", answerWith([address(60)]).subarray(0, -3)],
  ] as const)
    test(`not, if it is one ${what}`, () => {
      assert.equal(keptAfter(message, 0), undefined);
    });

  test("not when the cache is off, and the oldest goes when it is full", () => {
    assert.equal(keptAfter(answerWith([address(60)]), 0, 0), undefined);
    const cache = new AnswerCache({ entries: 2, staleMs: 0 });
    for (const key of ["1", "2", "1", "3"]) cache.put(key, answerWith([address(60)]), 0);
    assert.deepEqual(
      ["1", "2", "3"].map((key) => cache.take(key, 0) !== undefined),
      [true, false, true],
    );
  });

  test("after its end as long as it may serve then, for 30 seconds each time", () => {
    const cache = new AnswerCache({ entries: 2, staleMs: 5_000 });
    cache.put("key", answerWith([address(10)]), 0);
    assert.equal(cache.take("key", 10_000), undefined);
    const [old] = decode(cache.takeStale("key", 14_999) ?? Buffer.alloc(0)).answers ?? [];
    assert.equal(old?.type === "A" && old.ttl, 30);
    assert.equal(cache.takeStale("key", 15_000), undefined);
  });
});

describe("what an answer depends on", () => {
  const keyOf = (message: Buffer): string | undefined => {
    const query = readQuery(message);
    assert.ok(query.kind === "query");
    return cacheKeyOf(message, query);
  };

  test("is not the case of the name, nor the ID", () => {
    assert.equal(keyOf(queryBytes("WWW.Example.com", "A", { id: 7 })), keyOf(queryBytes(name)));
  });

  test("is its type, EDNS, and whether DNSSEC is wanted", () => {
    const keys = [
      queryBytes(name),
      queryBytes(name, "AAAA"),
      queryBytes(name, "A", { ednsBytes: 1_232 }),
      queryBytes(name, "A", { ednsBytes: 1_232, dnssec: true }),
    ].map(keyOf);
    assert.equal(new Set(keys).size, 4);
  });

  test("is nothing that can be kept for ANY, another class, or options of EDNS", () => {
    const other = queryBytes(name);
    other.writeUInt16BE(3, other.length - 2);
    const withOption = Buffer.concat([
      queryBytes(name, "A", { ednsBytes: 1_232 }),
      Buffer.from([0, 8, 0, 0]),
    ]);
    withOption.writeUInt16BE(4, withOption.length - 6);
    assert.deepEqual([queryBytes(name, 255), other, withOption].map(keyOf), [
      undefined,
      undefined,
      undefined,
    ]);
  });
});
