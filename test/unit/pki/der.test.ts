import assert from "node:assert/strict";
import { test } from "node:test";
import * as der from "../../../src/pki/der.ts";

const hex = (bytes: Buffer): string => bytes.toString("hex");

test("lengths below 128 take one byte, longer ones as many as they need", () => {
  assert.equal(hex(der.octetString(Buffer.alloc(127))).slice(0, 4), "047f");
  assert.equal(hex(der.octetString(Buffer.alloc(128))).slice(0, 6), "048180");
  assert.equal(hex(der.octetString(Buffer.alloc(256))).slice(0, 8), "04820100");
  assert.equal(hex(der.octetString(Buffer.alloc(65_536))).slice(0, 10), "0483010000");
});

test("object identifiers are in base 128", () => {
  // Example of X.690, section 8.19.5, and RSA's own arc.
  assert.equal(hex(der.objectIdentifier("2.999.3")), "0603883703");
  assert.equal(hex(der.objectIdentifier("1.2.840.113549")), "06062a864886f70d");
});

test("structures nest", () => {
  assert.equal(hex(der.sequence(der.smallInteger(0), der.booleanTrue())), "30060201000101ff");
  assert.equal(hex(der.set(der.utf8String("é"))), "31040c02c3a9");
  assert.equal(hex(der.bitString(Buffer.from([1]))), "03020001");
  assert.equal(hex(der.contextual(6, Buffer.from("a"), "primitive")), "860161");
  assert.equal(hex(der.contextual(0, Buffer.alloc(0), "constructed")), "a000");
});
