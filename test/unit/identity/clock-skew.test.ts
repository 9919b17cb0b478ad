import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  describeSkew,
  skewAfterSet,
  skewFromCertificate,
  skewFromDate,
} from "../../../src/identity/clock-skew.ts";

const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1) + seconds * 1_000);

describe("clock skew", () => {
  test("an answer's date bounds it from both sides, as far as the exchange took no time", () => {
    assert.equal(skewFromDate(at(0), at(-1), at(1)), undefined);
    assert.equal(skewFromDate(at(0), at(5), at(300)), undefined, "a slow answer proves little");
    assert.equal(skewFromDate(at(0), at(600), at(601))?.aheadMs, 599_000);
    assert.equal(skewFromDate(at(0), at(-600), at(-599))?.aheadMs, -599_000);
  });

  test("a new certificate that is not valid yet, or no longer, proves it too", () => {
    const valid = { notBefore: at(0), notAfter: at(3_600) };
    assert.equal(skewFromCertificate(valid, at(10)), undefined);
    assert.equal(skewFromCertificate(valid, at(-600))?.aheadMs, -600_000);
    assert.equal(skewFromCertificate(valid, at(4_200))?.aheadMs, 600_000);
  });

  test("is over once the clock is set right, and is what is left of it after a smaller step", () => {
    for (const side of [1, -1]) {
      const skew = { aheadMs: side * 600_000, source: "the date of its answer" };
      const after = (byMs: number): number | undefined => skewAfterSet(skew, side * byMs)?.aheadMs;
      assert.equal(after(-600_000), undefined);
      assert.equal(after(-596_000), undefined, "the rest is noise");
      assert.equal(after(-900_000), undefined, "beyond it nothing is proven");
      assert.equal(after(-300_000), side * 300_000);
      assert.equal(after(300_000), side * 600_000, "a suspended machine proves nothing");
      assert.equal(after(0), side * 600_000);
    }
    assert.equal(skewAfterSet(undefined, -600_000), undefined);
  });

  test("is told with side, size and remedy", () => {
    assert.equal(
      describeSkew({ aheadMs: -600_000, source: "the date of its answer" }),
      "this machine's clock is at least 600 s behind the CA's, by the date of its answer: set the node's clock (NTP)",
    );
  });
});
