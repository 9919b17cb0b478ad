import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { typeUrl } from "../../../../src/xds/type-urls.ts";
import { cacheFileName } from "../../../../src/xdsproxy/cache/cache-name.ts";

describe("the name of a type's cache file", () => {
  test("is the type's own for all that Envoy asks for", () => {
    assert.equal(cacheFileName(typeUrl.cluster), "envoy.config.cluster.v3.Cluster.cache");
    for (const type of Object.values(typeUrl))
      assert.equal(cacheFileName(type), `${type.slice("type.googleapis.com/".length)}.cache`);
  });

  const types = fc.oneof(
    fc.string({ unit: "binary", maxLength: 400 }),
    fc.string({ unit: fc.constantFrom("a", ".", "_", "-", "/", "\n", "é"), maxLength: 6 }),
    fc
      .tuple(
        fc.constantFrom("type.googleapis.com/", "other.com/", "a/b/"),
        fc.constantFrom("", "X", "..", "x.Y"),
      )
      .map((parts) => parts.join("")),
    fc.nat(5_000).map((length) => `type.googleapis.com/${"x".repeat(length)}`),
  );

  test("is one that a file system takes, with room for what is added to it, whatever the type", () => {
    fc.assert(
      fc.property(types, (type) => {
        const name = cacheFileName(type);
        assert.ok(Buffer.byteLength(name) <= 200, name);
        assert.match(name, /^[\w-][\w.-]*\.cache$/);
      }),
      { numRuns: 2_000 },
    );
  });

  test("is of no other type", () => {
    fc.assert(
      fc.property(types, types, (one, other) => {
        assert.equal(cacheFileName(one) === cacheFileName(other), one === other);
      }),
      { numRuns: 2_000 },
    );
    for (const [one, other] of [
      ["a.com/x.Y", "b.com/x.Y"],
      ["type.googleapis.com/a b", "type.googleapis.com/a_b"],
      [`type.googleapis.com/${"x".repeat(300)}`, `type.googleapis.com/${"x".repeat(301)}`],
    ] as const)
      assert.notEqual(cacheFileName(one), cacheFileName(other));
  });
});
