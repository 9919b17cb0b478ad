import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { terminationMessage } from "../../../src/files/termination-log.ts";

describe("terminationMessage()", () => {
  test("is the lines", () => {
    assert.equal(terminationMessage(["one", "two"]), "one\ntwo\n");
  });

  for (const shift of [0, 1, 2]) {
    test(`has at most 4096 bytes and whole characters, shifted by ${shift}`, () => {
      const message = terminationMessage(["a".repeat(shift) + "é€".repeat(2_000)]);
      assert.ok(Buffer.byteLength(message) <= 4_096, String(Buffer.byteLength(message)));
      assert.ok(Buffer.byteLength(message) > 4_090);
      assert.match(message, /^a*[é€]+…\n$/);
    });
  }
});
