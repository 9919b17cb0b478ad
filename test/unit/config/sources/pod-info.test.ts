import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePodInfo } from "../../../../src/config/sources/pod-info.ts";

test("reads the downward API's lines and passes over those without an equals sign", () => {
  assert.deepEqual(parsePodInfo('app="web"\n\nversion="a=\\"b\\""\n# note\n'), {
    kind: "read",
    values: { app: "web", version: 'a="b"' },
  });
});

test("names the line with bad quoting", () => {
  assert.deepEqual(parsePodInfo('app="web"\nversion=v1\n'), { kind: "invalid", line: 2 });
});
