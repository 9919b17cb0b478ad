import assert from "node:assert/strict";
import { test } from "node:test";
import { octetString, splitDer } from "../../../src/pki/der.ts";

test("concatenated elements are found again, short, long and empty", () => {
  const elements = [0, 1, 127, 128, 255, 256, 70_000].map((size) => octetString(Buffer.alloc(size, size)));
  assert.deepEqual(splitDer(Buffer.concat(elements)), elements);
  assert.deepEqual(splitDer(new Uint8Array()), []);
});

test("what ends within an element is refused", () => {
  for (const hex of ["30", "3002", "300201", "308201", "3080", "30850000000001"]) {
    assert.throws(() => splitDer(Buffer.from(hex, "hex")), /^Error: the DER/, hex);
  }
});
