import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkAnswer, refreshDelayMs } from "../../../src/identity/google-token.ts";
import { jwtExpiringAt } from "../../support/jwt.ts";

const minute = 60_000;
const now = new Date("2026-01-02T03:04:05Z");
const later = (ms: number): Date => new Date(now.getTime() + ms);
const audience = "demo.svc.id.goog";
const good = {
  status: 200,
  flavor: "Google",
  text: `${jwtExpiringAt(later(60 * minute), { aud: audience })}\n`,
};

describe("a token of Google's metadata server", () => {
  test("is replaced when 25 min of it are left, and half-way when it lives no longer than that", () => {
    assert.equal(refreshDelayMs(later(60 * minute), now), 35 * minute);
    assert.equal(refreshDelayMs(later(10 * minute), now), 5 * minute);
  });

  test("is not asked for without a pause, whatever its life", () => {
    for (const ms of [-minute, 0, 1, 500]) assert.equal(refreshDelayMs(later(ms), now), 1_000);
  });

  test("is taken without the spaces around it", () => {
    assert.deepEqual(checkAnswer(good, audience, now), {
      token: good.text.trim(),
      expiry: later(60 * minute),
    });
  });

  // Each row: what it shows, the answer, what is said of it.
  const refused = [
    ["another status", { ...good, status: 404 }, /answers 404.*service account/],
    ["a server that is not Google's", { ...good, flavor: undefined }, /Metadata-Flavor: Google/],
    ["something that is no token", { ...good, text: "<html>" }, /no token/],
    ["a token without an end", { ...good, text: "e30.e30.x" }, /no token/],
    ["an expired token", { ...good, text: jwtExpiringAt(now, { aud: audience }) }, /expired at.*clocks/],
    [
      "a token for somebody else",
      { ...good, text: jwtExpiringAt(later(minute), { aud: "other" }) },
      /for other, not for demo\.svc\.id\.goog/,
    ],
  ] as const;
  for (const [name, answer, message] of refused) {
    test(`${name} is refused`, () => {
      assert.throws(() => checkAnswer(answer, audience, now), message);
    });
  }
});
