import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { formatHostPort, parseHostPort } from "../../../src/net/host-port.ts";

describe("host:port", () => {
  for (const [text, host, port] of [
    ["istiod.istio-system.svc:15012", "istiod.istio-system.svc", 15012],
    ["10.1.1.7:1", "10.1.1.7", 1],
    ["[fd00::7]:65535", "fd00::7", 65_535],
    // As `$(HOST_IP):8126` comes out of Kubernetes on a node with an IPv6 address.
    ["fd00::7:8126", "fd00::7", 8126],
    ["2001:db8:0:0:0:0:0:1:8126", "2001:db8:0:0:0:0:0:1", 8126],
    ["::1:8126", "::1", 8126],
    ["::ffff:10.1.1.7:8126", "::ffff:10.1.1.7", 8126],
    ["fe80::1%eth0:8126", "fe80::1%eth0", 8126],
    ["[fe80::1%eth0]:8126", "fe80::1%eth0", 8126],
    ["$(HOST_IP):8126", "$(HOST_IP)", 8126],
    ["[$(HOST_IP)]:8126", "$(HOST_IP)", 8126],
  ] as const) {
    test(`${text} is ${host} and ${port}`, () => {
      assert.deepEqual(parseHostPort(text), { host, port });
    });
  }

  for (const text of [
    ...["", ":", ":80", "host", "host:", "host:0", "host:65536", "host:-1", "host:8o", "host: 80", "a b:80"],
    ...["fd00::7", "[fd00::7]", "[fd00::7]80", "fd00::7]:80", "[fd00::7:80", "[]:80", "[host]:80"],
    ...["2001:db8:0:0:0:0:0:1", "a:b:80", "http://host:80", "host:80/", "host:80\n", "1:2:3:4:5:6:7:8:9:80"],
  ]) {
    test(`${JSON.stringify(text)} is none`, () => {
      assert.equal(parseHostPort(text), undefined);
    });
  }

  test("is read back as it was written, with brackets or without", () => {
    const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, port) => {
        assert.deepEqual(parseHostPort(formatHostPort({ host: name, port })), { host: name, port });
        assert.deepEqual(parseHostPort(`${name}:${port}`), { host: name, port });
      }),
    );
  });
});
