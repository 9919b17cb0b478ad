/** Addresses that a URL of somebody else must not lead to. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { whyNotAsked } from "../../../src/net/machine-addresses.ts";

describe("an address", () => {
  for (const address of [
    ...["169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0"],
    // Mapped, and through a translator.
    ...["::ffff:169.254.169.254", "64:ff9b::169.254.169.254"],
  ])
    test(`${address} is not asked: it is link-local`, () => {
      assert.equal(whyNotAsked(address), "is link-local");
    });
  for (const address of [
    ...[
      "100.100.100.200",
      "168.63.129.16",
      "192.0.0.192",
      "fd00:ec2::254",
      "fd20:ce::254",
      "fd00:c1::a9fe:a9fe",
    ],
    "64:ff9b::100.100.100.200",
  ])
    test(`${address} is not asked: it is a metadata service's`, () => {
      assert.equal(whyNotAsked(address), "is that of a cloud's metadata service");
    });
  for (const address of ["10.0.0.1", "127.0.0.1", "::1", "192.0.2.1", "2001:db8::1", "64:ff9b::10.0.0.1"])
    test(`${address} may be asked`, () => {
      assert.equal(whyNotAsked(address), undefined);
    });
  test("is none that is a name", () => {
    assert.equal(whyNotAsked("localhost"), "is no address");
  });
});
