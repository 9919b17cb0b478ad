import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { isLoopback, overlaps, parseCidr } from "../../../../src/capture/options/address.ts";

describe("parseCidr()", () => {
  for (const [text, normal] of [
    ["10.1.2.3/8", "10.0.0.0/8"],
    ["10.1.2.3", "10.1.2.3/32"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["FD00:0:0:0:0:0:0:1/64", "fd00::/64"],
    ["::", "::/128"],
    ["::1", "::1/128"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3/128"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7/128"],
    ["2001:db8::/32", "2001:db8::/32"],
    ["::ffff:10.0.0.1", "::ffff:a00:1/128"],
    ["1::", "1::/128"],
  ] as const) {
    test(`${text} is ${normal}`, () => {
      assert.equal(parseCidr(text)?.text, normal);
    });
  }

  for (const text of [
    "",
    "10.0.0.0/33",
    "::/129",
    "10.0.0",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "a/8",
    "fe80::1%eth0",
  ])
    test(`${JSON.stringify(text)} is none`, () => {
      assert.equal(parseCidr(text), undefined);
    });

  test("what it writes it reads as the same", () => {
    const addresses = fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(32));
    fc.assert(
      fc.property(addresses, ([address, prefix]) => {
        const first = parseCidr(`${address}/${prefix}`);
        assert.ok(first !== undefined);
        assert.deepEqual(parseCidr(first.text), first);
        assert.ok(overlaps(first, first));
      }),
    );
  });

  test("a block around loopback is not loopback", () => {
    const isOne = (text: string): boolean => {
      const block = parseCidr(text);
      return block !== undefined && isLoopback(block);
    };
    assert.deepEqual(["127.1.0.0/16", "0.0.0.0/0", "::1", "::/0", "10.0.0.0/8"].map(isOne), [
      true,
      false,
      true,
      false,
      false,
    ]);
  });
});
