import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { skewOf, skewWords } from "../../../../src/ctl/install/skew.ts";

const cases = [
  ["the same", "0.1.0", "0.1.0", { direction: "none", minors: 0 }],
  ["a patch", "0.1.0", "0.1.3", { direction: "upgrade", minors: 0 }],
  ["a minor release", "1.2.9", "1.3.0", { direction: "upgrade", minors: 1 }],
  ["two minor releases back", "1.3.0", "1.1.4", { direction: "downgrade", minors: 2 }],
  ["a major release", "1.9.0", "2.0.0", { direction: "upgrade", minors: Infinity }],
  ["a release with more behind it", "0.1.0-rc.1", "0.1.0", { direction: "none", minors: 0 }],
  ["what is no version", "latest", "0.1.0", undefined],
] as const;

describe("skewOf()", () => {
  for (const [name, installed, own, expected] of cases)
    test(name, () => {
      assert.deepEqual(skewOf(installed, own), expected);
    });
});

describe("skewWords()", () => {
  test("says nothing of the same release", () => {
    assert.equal(skewWords("0.1.0", "0.1.0"), undefined);
  });

  test("tells who goes back what is not supported", () => {
    assert.deepEqual(skewWords("0.2.0", "0.1.0"), {
      text: "downgrade from 0.2.0 to 0.1.0: 1 minor release away; proxies that are newer than it are not supported",
      isFar: false,
    });
  });

  test("holds up who leaves a release out", () => {
    assert.equal(skewWords("0.1.0", "0.3.0")?.isFar, true);
    assert.equal(skewWords("0.1.0", "1.0.0")?.isFar, true);
    assert.equal(skewWords("latest", "1.0.0")?.isFar, false);
  });
});
