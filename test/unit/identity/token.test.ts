import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkToken } from "../../../src/identity/token.ts";
import { jwtExpiringAt } from "../../support/jwt.ts";

const now = new Date("2026-01-02T03:04:05Z");
const path = "./token";

describe("checkToken()", () => {
  test("takes a token that is still good, without the spaces around it", () => {
    const token = jwtExpiringAt(new Date(now.getTime() + 1_000));
    assert.equal(checkToken(`${token}\n`, path, now), token);
  });

  test("refuses a token whose time is over and says since when", () => {
    assert.throws(() => checkToken(jwtExpiringAt(now), path, now), {
      code: "TOKEN_EXPIRED",
      message: /\.\/token expired at 2026-01-02T03:04:05\.000Z.*restart the pod/,
    });
  });

  test("refuses an empty file and names what mounts the token", () => {
    assert.throws(() => checkToken(" \n", path, now), {
      code: "TOKEN_MISSING",
      message: /\.\/token is empty.*service account token/,
    });
  });

  test("takes an opaque token as it is", () => {
    assert.equal(checkToken("opaque", path, now), "opaque");
    assert.equal(checkToken("a.b.c", path, now), "a.b.c");
  });
});
