import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { retryDelayMs, rotationDelayMs } from "../../../src/identity/rotation.ts";

const second = 1_000;
const hour = 3_600 * second;
const half = { gracePeriodRatio: 0.5, gracePeriodJitter: 0.1 };

describe("rotationDelayMs()", () => {
  const cases = [
    ["half of the lifetime is left", [0, 24 * hour], 0, 0.5, 12 * hour],
    ["an early draw rotates sooner", [0, 24 * hour], 0, 1, 9.6 * hour],
    ["a late draw rotates later", [0, 24 * hour], 0, 0, 14.4 * hour],
    [
      "a certificate that is dated back is counted from its receipt",
      [0, 150 * second],
      120 * second,
      0.5,
      15 * second,
    ],
    [
      "a certificate from the future is counted from its notBefore",
      [10 * second, 40 * second],
      0,
      0.5,
      25 * second,
    ],
    ["an expired certificate is replaced at once", [0, 24 * hour], 30 * hour, 0.5, 0],
  ] as const;
  for (const [name, [notBefore, notAfter], receivedAt, random, expected] of cases) {
    test(name, () => {
      const lifetime = { notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
      assert.equal(rotationDelayMs(lifetime, half, new Date(receivedAt), random), expected);
    });
  }

  test("a share outside of 0 to 1 is brought back into it", () => {
    const day = { notBefore: new Date(0), notAfter: new Date(24 * hour) };
    const all = { gracePeriodRatio: 1, gracePeriodJitter: 0.5 };
    assert.equal(rotationDelayMs(day, all, new Date(0), 1), 0);
    assert.equal(rotationDelayMs(day, { ...all, gracePeriodRatio: 0 }, new Date(0), 0), 24 * hour);
  });
});

describe("retryDelayMs()", () => {
  const cases = [
    ["the first retry comes after half a second", 1, undefined, 500],
    ["each wait is half as long again", 3, undefined, 1_125],
    ["waits grow to a minute at most", 50, undefined, 60_000],
    ["much lifetime left changes nothing", 50, 24 * hour, 60_000],
    ["a wait uses up a quarter of what is left at most", 50, 60 * second, 15_000],
    ["close to the end a wait is not shorter than the first", 50, second, 500],
    ["an expired certificate is no reason to hurry", 50, -second, 60_000],
  ] as const;
  for (const [name, failures, restMs, expected] of cases) {
    test(name, () => {
      const notAfter = restMs === undefined ? undefined : new Date(restMs);
      assert.equal(retryDelayMs(failures, notAfter, new Date(0), 0.5), expected);
    });
  }
});
