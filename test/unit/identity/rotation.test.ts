import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import {
  pacedRotation,
  retryDelayMs,
  rotationDelayMs,
  trustDelayMs,
} from "../../../src/identity/rotation.ts";

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

describe("pacedRotation()", () => {
  const cases = [
    ["what the policy wants is left as it is", [12 * hour, 24 * hour, 0], 12 * hour, false],
    ["what is overdue on arrival waits for a hundredth of its life", [0, 24 * hour, 0], 0.24 * hour, true],
    ["each that follows waits for twice as long", [0, 24 * hour, 3], 1.92 * hour, true],
    ["but not beyond half of its life", [0, 24 * hour, 50], 12 * hour, true],
    ["a life of a second is no reason to hurry", [0, second, 0], 500, true],
    ["nor is one that is over", [0, -second, 9], 500, true],
  ] as const;
  for (const [name, [delayMs, restMs, hasty], expected, isHasty] of cases) {
    test(name, () => {
      assert.deepEqual(pacedRotation(delayMs, restMs, hasty), { delayMs: expected, isHasty });
    });
  }

  test("no setting, lifetime, clock or chance has the CA asked twice within half a second", () => {
    const moment = fc.integer({ min: -1e13, max: 1e13 });
    const share = fc.oneof(
      fc.double({ noNaN: true }),
      fc.constantFrom(-2, 0, 1, 2, 1e300, -1e300, Infinity, -Infinity),
    );
    fc.assert(
      fc.property(
        fc.record({ notBefore: moment, notAfter: moment, now: moment }),
        fc.record({ gracePeriodRatio: share, gracePeriodJitter: share }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(2_000),
        ({ notBefore, notAfter, now }, policy, random, hasty) => {
          const life = { notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
          const wanted = rotationDelayMs(life, policy, new Date(now), random);
          const { delayMs } = pacedRotation(wanted, notAfter - now, hasty);
          assert.ok(delayMs >= 500, `${delayMs}`);
        },
      ),
    );
  });
});

test("roots that go on changing have the CA asked less and less", () => {
  for (const random of [0, 0.5, 1]) {
    const delays = Array.from({ length: 12 }, (_, changes) => trustDelayMs(changes, random));
    assert.ok((delays[0] ?? 0) <= 10 * second);
    for (const [index, delay] of delays.entries())
      assert.ok(index === 0 || delay >= (delays[index - 1] ?? 0), String(delays));
    assert.ok((delays[11] ?? 0) >= 300 * second);
  }
});
