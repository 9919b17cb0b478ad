/** What is the same address, or the same range of them, is equal as text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalAddress, canonicalRange } from "../../../src/net/canonical-address.ts";

test("an address has one form", () => {
  const forms: readonly (readonly [text: string, form: string])[] = [
    ["10.0.0.1", "10.0.0.1"],
    ["2001:DB8:0::1", "2001:db8::1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["fe80::1%eth0", "fe80::1%eth0"],
    ["api.example.com", "api.example.com"],
    ["", ""],
  ];
  assert.deepEqual(
    forms.map(([text]) => canonicalAddress(text)),
    forms.map(([, form]) => form),
  );
});

test("a range begins with its first address", () => {
  const forms: readonly (readonly [text: string, form: string])[] = [
    ["10.0.0.1", "10.0.0.1"],
    ["10.97.255.9/16", "10.97.0.0/16"],
    ["10.97.255.255/20", "10.97.240.0/20"],
    ["10.0.0.1/32", "10.0.0.1/32"],
    ["10.1.2.3/0", "0.0.0.0/0"],
    ["2001:DB8:ffff:0::9/33", "2001:db8:8000::/33"],
    ["2001:db8::0:1/128", "2001:db8::1/128"],
    ["FD00::1", "fd00::1"],
    ["fd00::1/0", "::/0"],
  ];
  assert.deepEqual(
    forms.map(([text]) => canonicalRange(text)),
    forms.map(([, form]) => form),
  );
});
