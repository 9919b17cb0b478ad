/** The guard of fetches against IANA's special-purpose address registries, and what they leave out. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { embeddedAddresses } from "../../../src/net/embedded-address.ts";
import { createAddressGuard } from "../../../src/wasm/fetch/address-guard.ts";

const guard = createAddressGuard([]);
const publicOnly = { loopback: false, privateNetwork: false };

/** First and last address of a block, and one that is just outside at each end where that is public. */
interface Row {
  readonly block: string;
  readonly inside: readonly string[];
  readonly outside?: readonly string[];
}

/** iana-ipv4-special-registry, multicast-addresses. Blocks that are globally reachable are left out. */
const ipv4: readonly Row[] = [
  { block: "0.0.0.0/8", inside: ["0.0.0.0", "0.255.255.255"], outside: ["1.0.0.0"] },
  { block: "10.0.0.0/8", inside: ["10.0.0.0", "10.255.255.255"], outside: ["9.255.255.255", "11.0.0.0"] },
  {
    block: "100.64.0.0/10",
    inside: ["100.64.0.0", "100.127.255.255"],
    outside: ["100.63.255.255", "100.128.0.0"],
  },
  {
    block: "127.0.0.0/8",
    inside: ["127.0.0.0", "127.255.255.255"],
    outside: ["126.255.255.255", "128.0.0.0"],
  },
  {
    block: "169.254.0.0/16",
    inside: ["169.254.0.0", "169.254.255.255"],
    outside: ["169.253.255.255", "169.255.0.0"],
  },
  {
    block: "172.16.0.0/12",
    inside: ["172.16.0.0", "172.31.255.255"],
    outside: ["172.15.255.255", "172.32.0.0"],
  },
  {
    block: "192.0.0.0/24",
    inside: ["192.0.0.0", "192.0.0.9", "192.0.0.170", "192.0.0.255"],
    outside: ["191.255.255.255", "192.0.1.0"],
  },
  { block: "192.0.2.0/24", inside: ["192.0.2.0", "192.0.2.255"], outside: ["192.0.1.255", "192.0.3.0"] },
  {
    block: "192.88.99.0/24",
    inside: ["192.88.99.0", "192.88.99.255"],
    outside: ["192.88.98.255", "192.88.100.0"],
  },
  {
    block: "192.168.0.0/16",
    inside: ["192.168.0.0", "192.168.255.255"],
    outside: ["192.167.255.255", "192.169.0.0"],
  },
  {
    block: "198.18.0.0/15",
    inside: ["198.18.0.0", "198.19.255.255"],
    outside: ["198.17.255.255", "198.20.0.0"],
  },
  {
    block: "198.51.100.0/24",
    inside: ["198.51.100.0", "198.51.100.255"],
    outside: ["198.51.99.255", "198.51.101.0"],
  },
  {
    block: "203.0.113.0/24",
    inside: ["203.0.113.0", "203.0.113.255"],
    outside: ["203.0.112.255", "203.0.114.0"],
  },
  { block: "224.0.0.0/4", inside: ["224.0.0.0", "239.255.255.255"], outside: ["223.255.255.255"] },
  { block: "240.0.0.0/4", inside: ["240.0.0.0", "255.255.255.254", "255.255.255.255"] },
];

/** iana-ipv6-special-registry, and what is not global unicast (2000::/3). */
const ipv6: readonly Row[] = [
  { block: "::/128, ::1/128", inside: ["::", "::1"] },
  { block: "::/96, IPv4-compatible", inside: ["::2", "::127.0.0.1", "::8.8.8.8", "::a9fe:a9fe"] },
  {
    block: "::ffff:0:0:0/96, translated",
    inside: ["::ffff:0:127.0.0.1", "::ffff:0:10.0.0.1", "::ffff:0:8.8.8.8"],
  },
  { block: "100::/64, 100:0:0:1::/64", inside: ["100::", "100::1", "100:0:0:1::1"] },
  { block: "200::/7 to 1fff::", inside: ["200::1", "1fff:ffff::1"], outside: ["2000::1"] },
  {
    block: "2001::/23, Teredo and ORCHID",
    inside: ["2001::", "2001::1", "2001:0:7f00:1::", "2001:1::1", "2001:10::1", "2001:20::1", "2001:1ff::1"],
    outside: ["2001:200::1"],
  },
  {
    block: "2001:db8::/32",
    inside: ["2001:db8::", "2001:db8:ffff::1"],
    outside: ["2001:db7::1", "2001:db9::1"],
  },
  { block: "2002::/16, 6to4", inside: ["2002::1", "2002:7f00:1::", "2002:808:808::1"], outside: ["2003::1"] },
  { block: "3fff::/20", inside: ["3fff::1", "3fff:fff:ffff::1"], outside: ["3fff:1000::1"] },
  { block: "4000::/2 to fbff::", inside: ["4000::1", "5f00::1", "8000::1", "c000::1", "fbff::1"] },
  { block: "fc00::/7", inside: ["fc00::", "fd20:ce::254", "fdff:ffff::1"] },
  { block: "fe00::/9", inside: ["fe00::1", "fe7f::1"] },
  { block: "fe80::/10", inside: ["fe80::", "fe80::1%eth0", "febf::1"] },
  { block: "fec0::/10, site-local", inside: ["fec0::1", "feff::1"] },
  { block: "ff00::/8, multicast", inside: ["ff00::1", "ff02::1", "ffff::1"] },
];

for (const { block, inside, outside = [] } of [...ipv4, ...ipv6]) {
  test(`nothing of ${block} is asked`, () => {
    for (const address of inside) assert.notEqual(guard(address, publicOnly), undefined, address);
    for (const address of outside) assert.equal(guard(address, publicOnly), undefined, address);
  });
}

test("what is globally reachable may be asked", () => {
  for (const address of [
    ...["1.1.1.1", "8.8.8.8", "192.31.196.1", "192.52.193.1", "192.175.48.1", "223.255.255.255"],
    ...["2606:4700::1111", "2001:4860:4860::8888", "2620:4f:8000::1", "2a00:1450::1", "3ffe::1"],
  ]) {
    assert.equal(guard(address, publicOnly), undefined, address);
  }
});

describe("an address through a translator is that of where it leads:", () => {
  const hex = (address: string): string => {
    const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  };
  const forms: Readonly<Record<string, (address: string) => string>> = {
    mapped: (address) => `::ffff:${address}`,
    "mapped, in hexadecimal": (address) => `0:0:0:0:0:FFFF:${hex(address)}`,
    "64:ff9b::/96": (address) => `64:ff9b::${hex(address)}`,
    "64:ff9b:1::/96": (address) => `64:ff9b:1::${hex(address)}`,
    "64:ff9b:1::/48": (address) => {
      const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
      return `64:ff9b:1:${(a * 256 + b).toString(16)}:${c.toString(16)}:${(d * 256).toString(16)}::`;
    },
  };
  for (const [name, wrap] of Object.entries(forms)) {
    test(name, () => {
      for (const { inside } of ipv4) {
        for (const address of inside.filter((one) => !one.startsWith("0."))) {
          assert.notEqual(guard(wrap(address), publicOnly), undefined, `${address} as ${wrap(address)}`);
          assert.ok(embeddedAddresses(wrap(address)).includes(address), wrap(address));
        }
      }
      assert.equal(guard(wrap("8.8.8.8"), publicOnly), undefined);
      assert.notEqual(guard(wrap("0.0.0.0"), publicOnly), undefined);
      assert.equal(guard(wrap("10.1.2.3"), { loopback: false, privateNetwork: true }), undefined);
      assert.equal(guard(wrap("127.0.0.1"), { loopback: true, privateNetwork: false }), undefined);
    });
  }

  test("each place that a translator may read counts", () => {
    // 169.254.169.254 where a prefix of 48 bits would have it, 8.8.8.8 where one of 96 would.
    assert.match(guard("64:ff9b:1:a9fe:a9:fe00:808:808", publicOnly)?.words ?? "", /link-local/);
  });

  test("whatever it is, a decision is made", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), (address) => {
        const reason = guard(address, publicOnly);
        assert.ok(reason === undefined || reason.words !== "");
        // Nothing that is refused may be asked because it is written as one of IPv6.
        if (/^[\d.]+$/.test(address) && reason !== undefined)
          assert.notEqual(guard(`::ffff:${address}`, publicOnly), undefined, address);
      }),
    );
  });
});
