import assert from "node:assert/strict";
import { test } from "node:test";
import { isLate } from "../../../src/identity/token-watch.ts";

test("a token is late from 80 % of its life on, if it says how long that is", () => {
  const iat = new Date(0);
  const exp = new Date(100_000);
  assert.equal(isLate({ iat, exp }, new Date(79_999)), false);
  assert.equal(isLate({ iat, exp }, new Date(80_000)), true);
  assert.equal(isLate({ exp }, new Date(99_000)), false);
  assert.equal(isLate({ iat }, new Date(99_000)), false);
});
