import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { isCidr } from "../../../src/net/cidr.ts";
import { createAddressGuard } from "../../../src/wasm/fetch/address-guard.ts";
import { nextUrl } from "../../../src/wasm/fetch/redirect.ts";
import { isTransientStatus } from "../../../src/wasm/fetch/status.ts";
import { licenceOf } from "../../../src/wasm/fetch/trusted-servers.ts";

describe("the guard of addresses", () => {
  const guard = createAddressGuard(["203.0.113.0/24", "2001:db8::/32"]);
  const anywhere = { loopback: true, privateNetwork: true };
  const never = {
    "link-local": ["169.254.0.1", "169.254.169.254", "fe80::1", "fe80::1%eth0", "febf::1"],
    "metadata service": ["100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"],
    BLOCKED_CIDRS: ["203.0.113.7", "2001:db8:1::1"],
    "no address": ["", "example.com", "169.254", "1.2.3.4.5", "::ffff:1.2.3"],
  };
  for (const [reason, addresses] of Object.entries(never)) {
    for (const address of addresses) {
      test(`refuses ${address || "nothing"}: ${reason}`, () => {
        assert.match(guard(address, anywhere)?.words ?? "", new RegExp(reason));
      });
    }
  }

  test("sees through each way to write an address of IPv4 as one of IPv6", () => {
    for (const address of [
      "::ffff:169.254.169.254",
      "::ffff:a9fe:a9fe",
      "64:ff9b::a9fe:a9fe",
      "64:ff9b:1::a9fe:a9fe",
    ])
      assert.match(guard(address, anywhere)?.words ?? "", /link-local/, address);
    assert.match(guard("::ffff:203.0.113.7", anywhere)?.words ?? "", /BLOCKED/);
    assert.match(guard("64:ff9b::7f00:1", { ...anywhere, loopback: false })?.words ?? "", /this machine/);
  });

  test("lets loopback and private networks pass where they are allowed, and the rest always", () => {
    const nowhere = { loopback: false, privateNetwork: false };
    for (const address of ["127.0.0.1", "127.1.2.3", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"]) {
      assert.match(guard(address, nowhere)?.words ?? "", /this machine/, address);
      assert.equal(guard(address, anywhere), undefined, address);
    }
    for (const address of [
      "10.0.0.1",
      "172.31.0.1",
      "192.168.1.1",
      "100.64.0.1",
      "fd12::1",
      "::ffff:10.0.0.1",
    ]) {
      assert.match(guard(address, nowhere)?.words ?? "", /private network/, address);
      assert.equal(guard(address, anywhere), undefined, address);
    }
    for (const address of ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"])
      assert.equal(guard(address, nowhere), undefined, address);
  });

  test("takes CIDRs of both families and nothing else", () => {
    for (const cidr of ["10.0.0.0/8", "0.0.0.0/0", "10.1.2.3/32", "::/0", "fd00::/8", "::1/128"])
      assert.ok(isCidr(cidr), cidr);
    for (const text of [
      "10.0.0.0",
      "10.0.0.0/33",
      "::/129",
      "10.0.0/8",
      "x/8",
      "10.0.0.0/",
      "10.0.0.0/-1",
      "10.0.0.0/8/8",
      "",
    ])
      assert.ok(!isCidr(text), text);
    fc.assert(
      fc.property(fc.string(), (text) => {
        if (isCidr(text)) createAddressGuard([text]);
      }),
    );
  });
});

describe("nextUrl()", () => {
  const from = new URL("https://a.example/x");
  const next = (location: string | undefined, followed = 0, mayBePlain = false): string => {
    const redirect = nextUrl(from, location, followed, () => mayBePlain);
    return redirect.kind === "refused"
      ? redirect.reason
      : `${redirect.url.href} ${redirect.keepsCredentials}`;
  };
  test("follows to the same server with credentials, and to others without", () => {
    assert.equal(next("/y"), "https://a.example/y true");
    assert.equal(next("https://a.example:443/y"), "https://a.example/y true");
    assert.equal(next("https://a.example:444/y"), "https://a.example:444/y false");
    assert.equal(next("//b.example/y"), "https://b.example/y false");
    assert.equal(next("http://a.example/y", 0, true), "http://a.example/y false");
  });
  test("does not follow without end, without TLS, or to what is no server", () => {
    assert.match(next("/y", 5), /more than 5 redirects/);
    assert.match(next("http://a.example/y"), /from https to http/);
    for (const location of ["file:///etc/passwd", "data:,x", "ftp://a.example"])
      assert.match(next(location), /redirect to/);
    for (const location of [undefined, "http://", "https://[::"])
      assert.match(next(location), /without a usable location/);
    assert.match(next("https://user:secret@b.example/"), /with credentials/);
  });
});

test("licenceOf() goes by host and by host and port, and a star allows no address of this machine", () => {
  const licence = (url: string, ...named: readonly string[]): string => {
    const { insecure, loopback } = licenceOf(new URL(url), named);
    return `${insecure} ${loopback}`;
  };
  assert.equal(licence("https://a.example/x", "a.example"), "true true");
  assert.equal(licence("https://a.example:5000/x", "a.example"), "true true");
  assert.equal(licence("https://a.example:5000/x", "a.example:5000"), "true true");
  assert.equal(licence("https://a.example/x", "a.example:443"), "true true");
  assert.equal(licence("http://a.example/x", "a.example:443"), "false false");
  assert.equal(licence("https://b.a.example/x", "a.example"), "false false");
  assert.equal(licence("https://a.example/x", "*"), "true false");
  assert.equal(licence("https://a.example/x"), "false false");
});

test("isTransientStatus() is true for what may pass", () => {
  for (const status of [408, 425, 429, 500, 502, 503, 504])
    assert.ok(isTransientStatus(status), String(status));
  for (const status of [200, 301, 400, 401, 403, 404, 410, 501, 505, 511])
    assert.ok(!isTransientStatus(status), String(status));
});
