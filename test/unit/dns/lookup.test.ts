import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { askTable } from "../../../src/dns/answer/from-table.ts";
import { nameTableOf } from "../../../src/dns/table/read-table.ts";
import { type as types } from "../../../src/dns/wire/constants.ts";
import { dottedName, wireName } from "../../../src/dns/wire/name.ts";
import { kubernetes, nameTableBytes } from "../../support/name-table.ts";

const place = { namespace: "ns1", domain: "ns1.svc.cluster.local" };
const search = ["ns1.svc.cluster.local", "svc.cluster.local", "corp.example"].map(
  (name) => wireName(name) ?? "",
);

const table = nameTableOf(
  nameTableBytes({
    "reviews.ns1.svc.cluster.local": kubernetes("reviews", "ns1", "10.0.0.1"),
    "details.ns2.svc.cluster.local": kubernetes("details", "ns2", "10.0.0.2"),
    "dual.ns1.svc.cluster.local": kubernetes("dual", "ns1", "10.0.0.3", "fd00::3"),
    "six.ns1.svc.cluster.local": kubernetes("six", "ns1", "fd00::6"),
    "headless.ns1.svc.cluster.local": kubernetes("headless", "ns1", "10.1.0.1", "10.1.0.2", "10.1.0.3"),
    "pod-0.headless.ns1.svc.cluster.local": { ips: ["10.1.0.1"], registry: "Kubernetes" },
    "single.ns1.svc.cluster.local": kubernetes("single", "ns1", "10.2.0.1"),
    "pod-0.single.ns1.svc.cluster.local": { ips: ["10.2.0.1"], registry: "Kubernetes" },
    "alias.ns1.svc.cluster.local": kubernetes("alias", "ns1", "10.0.0.9"),
    "renamed.ns1.svc.cluster.local": {
      ...kubernetes("short", "ns1", "10.0.0.10"),
      altHosts: ["other.example"],
    },
    "remote.ns1.svc.clusterset.local": { ips: ["10.0.0.11"], registry: "Kubernetes" },
    "plain.ns1.svc.cluster.local": { ips: ["10.0.0.12"] },
    "WWW.Example.com": { ips: ["192.0.2.1"] },
    "dot.example.": { ips: ["192.0.2.2"] },
    "*.wild.example": { ips: ["192.0.2.3"] },
    "*.deep.wild.example": { ips: ["192.0.2.4"] },
    "exact.wild.example": { ips: ["192.0.2.5"] },
    localhosts: { ips: ["192.0.2.6"] },
    "bad.example": { ips: ["not an address", ""] },
    "half.example": { ips: ["no", "192.0.2.7"] },
    "ev..il": { ips: ["192.0.2.8"] },
  }),
  place,
);

/** `A 10.0.0.1`, with the rule and where a CNAME leads to. */
function looked(name: string, type: number = types.a): string {
  const verdict = askTable(table, { name: wireName(name) ?? "", type, class: 1 }, search);
  if (verdict.kind === "names") return verdict.names.map(dottedName).join(" ");
  if (verdict.kind === "forward") return verdict.found === undefined ? "upstream" : "upstream, known";
  const { rule, target, addresses } = verdict.found;
  const lead = target === undefined ? "" : ` to ${dottedName(target)}`;
  return `${rule}${lead}: ${type === types.a ? addresses.v4 : addresses.v6} of ${addresses.v4 + addresses.v6}`;
}

describe("a name is answered from the table", () => {
  const rows: readonly (readonly [what: string, name: string, expected: string, type?: number])[] = [
    ["its full name", "reviews.ns1.svc.cluster.local", "name: 1 of 1"],
    ["with a dot at the end", "reviews.ns1.svc.cluster.local.", "name: 1 of 1"],
    ["whatever the case", "REVIEWS.ns1.SVC.cluster.local", "name: 1 of 1"],
    ["a host that was written in capitals", "www.example.COM", "name: 1 of 1"],
    ["a host that was written with a dot", "dot.example", "name: 1 of 1"],
    ["its short name in the own namespace", "reviews", "name: 1 of 1"],
    ["with its namespace", "reviews.ns1", "name: 1 of 1"],
    ["with svc", "reviews.ns1.svc", "name: 1 of 1"],
    ["of another namespace with it", "details.ns2", "name: 1 of 1"],
    ["of another namespace with svc", "details.ns2.svc", "name: 1 of 1"],
    ["of another namespace without it: not ours", "details", "upstream"],
    ["a short name that is another than the host's", "short", "name: 1 of 1"],
    ["the same with its namespace", "short.ns1.svc", "name: 1 of 1"],
    ["another host of the same service", "other.example", "name: 1 of 1"],
    ["what is not of Kubernetes has no short name", "plain", "upstream"],
    ["nor one with its namespace", "plain.ns1", "upstream"],
    ["but its own", "plain.ns1.svc.cluster.local", "name: 1 of 1"],
    ["what is in the clusterset has no short name", "remote", "upstream"],
    ["but its own", "remote.ns1.svc.clusterset.local", "name: 1 of 1"],
    ["every address of a headless service", "headless", "name: 3 of 3"],
    ["a pod of it", "pod-0.headless.ns1.svc.cluster.local", "name: 1 of 1"],
    [
      "a pod of it by a search domain",
      "pod-0.headless.ns1.svc.cluster.local.corp.example",
      "search domain to pod-0.headless.ns1.svc.cluster.local: 1 of 1",
    ],
    ["the alias of an ExternalName", "alias", "name: 1 of 1"],
    ["AAAA of both families", "dual", "name: 1 of 2", types.aaaa],
    ["A of both families", "dual", "name: 1 of 2"],
    ["AAAA of one that has none: no error", "reviews", "name: 0 of 1", types.aaaa],
    ["A of one that has none: no error", "six", "name: 0 of 1"],
    [
      "a foreign name with the first search domain",
      "www.example.com.ns1.svc.cluster.local",
      "search domain to www.example.com: 1 of 1",
    ],
    ["with the second", "www.example.com.svc.cluster.local", "search domain to www.example.com: 1 of 1"],
    ["with the third", "www.example.com.corp.example", "search domain to www.example.com: 1 of 1"],
    [
      "a short name with a search domain",
      "details.ns2.ns1.svc.cluster.local",
      "search domain to details.ns2: 1 of 1",
    ],
    ["a search domain counts from a dot on", "localhostscorp.example", "upstream"],
    ["and not from the middle of a label", "www.example.comcorp.example", "upstream"],
    ["a search domain alone is no name", "corp.example", "upstream"],
    ["a wildcard", "a.wild.example", "wildcard: 1 of 1"],
    ["a wildcard covers more than one label", "a.b.wild.example", "wildcard: 1 of 1"],
    ["the most specific wildcard", "a.deep.wild.example", "wildcard: 1 of 1"],
    ["a name before a wildcard", "exact.wild.example", "name: 1 of 1"],
    ["a wildcard is not its own parent", "wild.example", "upstream"],
    [
      "a wildcard with a search domain",
      "a.wild.example.corp.example",
      "wildcard and search domain to a.wild.example: 1 of 1",
    ],
    ["an address that is none", "bad.example", "upstream"],
    ["those of the addresses that are some", "half.example", "name: 1 of 1"],
    ["what is not in it", "nowhere.example", "upstream"],
    ["an unknown name of the mesh", "nobody.ns1.svc.cluster.local", "upstream"],
    ["another type of a name that exists", "reviews", "upstream, known", 65],
    ["another type of another name", "nowhere.example", "upstream", 16],
    ["the name of an address", "1.0.0.10.in-addr.arpa", "reviews.ns1.svc.cluster.local", types.ptr],
    [
      "the name of a pod's address, not of all pods",
      "1.0.1.10.in-addr.arpa",
      "pod-0.headless.ns1.svc.cluster.local",
      types.ptr,
    ],
    ["one of several addresses of a service", "2.0.1.10.in-addr.arpa", "upstream", types.ptr],
    [
      "the names of a single pod, its own before its service's",
      "1.0.2.10.in-addr.arpa",
      "pod-0.single.ns1.svc.cluster.local single.ns1.svc.cluster.local",
      types.ptr,
    ],
    ["the name of both families", "3.0.0.10.in-addr.arpa", "dual.ns1.svc.cluster.local", types.ptr],
    ["no short name and no other host", "10.0.0.10.in-addr.arpa", "renamed.ns1.svc.cluster.local", types.ptr],
    ["the address of a host outside", "1.2.0.192.in-addr.arpa", "upstream", types.ptr],
    [
      "the name of an address of IPv6",
      "6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa",
      "six.ns1.svc.cluster.local",
      types.ptr,
    ],
    ["the name of a foreign address", "1.1.1.1.in-addr.arpa", "upstream", types.ptr],
    ["the name of what is no address", "1.0.0.256.in-addr.arpa", "upstream", types.ptr],
    ["of a part of an address", "0.0.10.in-addr.arpa", "upstream", types.ptr],
  ];
  for (const [what, name, expected, type] of rows)
    test(`${what}: ${name}`, () => {
      assert.equal(looked(name, type), expected);
    });

  test("the names of an address do not depend on the order of the table", () => {
    const entries = Object.entries({
      "b.ns1.svc.cluster.local": kubernetes("b", "ns1", "10.0.0.1"),
      "a.ns1.svc.cluster.local": kubernetes("a", "ns1", "10.0.0.1"),
      "pod-0.b.ns1.svc.cluster.local": { ips: ["10.0.0.1"], registry: "Kubernetes" },
    });
    for (const each of [entries, entries.toReversed()])
      assert.deepEqual(
        nameTableOf(nameTableBytes(Object.fromEntries(each)), place)
          .namesOf(Uint8Array.of(10, 0, 0, 1))
          .map(dottedName),
        ["pod-0.b.ns1.svc.cluster.local", "a.ns1.svc.cluster.local", "b.ns1.svc.cluster.local"],
      );
  });

  test("another class is not ours", () => {
    const query = { name: wireName("reviews") ?? "", type: types.a, class: 3 };
    assert.deepEqual(askTable(table, query, search), { kind: "forward", found: undefined });
  });

  test("what cannot be used is counted", () => {
    assert.deepEqual(table.facts, { hosts: 19, addresses: 22, skipped: 2 });
  });

  test("the most specific wildcard has its own address", () => {
    const verdict = askTable(
      table,
      { name: wireName("a.deep.wild.example") ?? "", type: 1, class: 1 },
      search,
    );
    assert.ok(verdict.kind === "addresses");
    const { bytes, start } = verdict.found.addresses;
    assert.equal(bytes.subarray(start, start + 4).join("."), "192.0.2.4");
  });
});
