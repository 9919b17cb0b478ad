import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import {
  codeOfHttpStatus,
  codeOfReset,
  decodeStatusMessage,
  encodeStatusMessage,
  formatTimeout,
  parseTimeout,
  statusName,
} from "../../../src/grpc/status-code.ts";

describe("grpc-message", () => {
  test("is printable ASCII, and says what was said", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (message) => {
        const encoded = encodeStatusMessage(message);
        assert.match(encoded, /^[\x20-\x7e]*$/);
        assert.equal(decodeStatusMessage(encoded), message);
      }),
    );
  });

  const cases = [
    ["plain words: a, b", "plain words: a, b"],
    ["100 %", "100 %25"],
    ["two\nlines", "two%0Alines"],
    ["größer", "gr%C3%B6%C3%9Fer"],
  ] as const;
  for (const [message, encoded] of cases) {
    test(`of ${JSON.stringify(message)}`, () => {
      assert.equal(encodeStatusMessage(message), encoded);
    });
  }

  test("that is encoded badly is shown as it came", () => {
    assert.equal(decodeStatusMessage("100 % of %ZZ"), "100 % of %ZZ");
  });
});

describe("parseTimeout()", () => {
  const cases = [
    ["1H", 3_600_000],
    ["2M", 120_000],
    ["3S", 3_000],
    ["250m", 250],
    ["1500u", 2],
    ["1n", 1],
    ["99999999S", 99_999_999_000],
  ] as const;
  for (const [text, ms] of cases) {
    test(`${text} is ${ms} ms`, () => {
      assert.equal(parseTimeout(text), ms);
    });
  }
  for (const text of ["", "1", "S", "123456789S", "1s", "-1S", "1.5S"]) {
    test(`"${text}" is none`, () => {
      assert.equal(parseTimeout(text), undefined);
    });
  }
});

describe("formatTimeout()", () => {
  test("is read back as no less, and little more", () => {
    const most = 99_999_999 * 3_600_000;
    fc.assert(
      fc.property(fc.oneof(fc.double({ min: 0, max: most, noNaN: true }), fc.nat(most)), (ms) => {
        const read = parseTimeout(formatTimeout(ms)) ?? Number.NaN;
        assert.ok(read >= ms && read <= ms * 1.001 + 1, `${ms} became ${read}`);
      }),
    );
  });

  for (const [ms, text] of [
    [0, "0m"],
    [10_000, "10000m"],
    [2 ** 31, "2147484S"],
    [9_999 * 3_600_000, "35996400S"],
    [Infinity, "99999999H"],
  ] as const) {
    test(`${ms} ms are ${text}`, () => {
      assert.equal(formatTimeout(ms), text);
    });
  }
});

test("what is no gRPC status becomes one", () => {
  assert.equal(statusName(14), "UNAVAILABLE");
  assert.equal(statusName(0), "OK");
  assert.equal(statusName(99), "UNKNOWN");
  assert.deepEqual([400, 401, 403, 404, 429, 500, 502, 503, 504, 302].map(codeOfHttpStatus), [
    ...["INTERNAL", "UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED", "UNAVAILABLE", "UNKNOWN"],
    ...["UNAVAILABLE", "UNAVAILABLE", "UNAVAILABLE", "UNKNOWN"],
  ]);
  assert.deepEqual([0, 1, 2, 7, 8, 11, 12].map(codeOfReset), [
    ...["INTERNAL", "INTERNAL", "INTERNAL", "UNAVAILABLE", "CANCELLED"],
    ...["RESOURCE_EXHAUSTED", "PERMISSION_DENIED"],
  ]);
});
