import assert from "node:assert/strict";
import { test } from "node:test";
import { makeLocalParts } from "../../../../src/build/image/local-parts.ts";

test("an image that is given for a part is taken, and nothing is made in its place", () => {
  const parts = makeLocalParts(() => assert.fail("the builder was called"), {
    cacheFolder: "/nowhere",
    envoyBinary: "/nowhere/envoy",
    base: "registry.example/debian",
    envoy: "registry.example/envoy",
  });
  assert.deepEqual(parts, { base: "registry.example/debian", envoy: "registry.example/envoy" });
});
