import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isLoopback } from "../../../src/net/loopback.ts";

describe("isLoopback()", () => {
  for (const address of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) {
    test(`${address} is`, () => {
      assert.equal(isLoopback(address), true);
    });
  }

  for (const address of [
    // What Envoy's captured inbound traffic comes from, whoever sent it.
    "127.0.0.6",
    "::6",
    "::ffff:127.0.0.6",
    "127.0.0.2",
    "127.1.0.1",
    "127.255.255.254",
    "127.0.0.10",
    "10.0.0.1",
    "0.0.0.0",
    "::",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "fe80::1",
    "localhost",
    "",
    undefined,
  ]) {
    test(`${address} is not`, () => {
      assert.equal(isLoopback(address), false);
    });
  }
});
