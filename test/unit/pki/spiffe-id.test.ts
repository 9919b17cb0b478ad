import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { parseSpiffeId, trustDomainOf, trustDomainProblem, workloadId } from "../../../src/pki/spiffe-id.ts";

describe("parseSpiffeId()", () => {
  for (const [text, trustDomain, path] of [
    ["spiffe://cluster.local/ns/demo/sa/web", "cluster.local", "/ns/demo/sa/web"],
    ["spiffe://a_b-c.1", "a_b-c.1", ""],
    ["spiffe://example.org/A.b_c-1/...", "example.org", "/A.b_c-1/..."],
    [`spiffe://${"a".repeat(255)}/x`, "a".repeat(255), "/x"],
    [`spiffe://a/${"p".repeat(2_037)}`, "a", `/${"p".repeat(2_037)}`],
  ] as const) {
    test(`takes ${text.slice(0, 60)}`, () => {
      assert.deepEqual(parseSpiffeId(text), { trustDomain, path });
      assert.equal(trustDomainOf(text), trustDomain);
    });
  }

  for (const [why, text] of [
    ["another scheme", "https://cluster.local/ns/demo"],
    ["a scheme in capitals", "SPIFFE://cluster.local/ns/demo"],
    ["no trust domain", "spiffe:///ns/demo"],
    ["a trust domain in capitals", "spiffe://Cluster.local/ns/demo"],
    ["a port", "spiffe://cluster.local:443/ns"],
    ["a user", "spiffe://me@cluster.local/ns"],
    ["a trailing slash", "spiffe://cluster.local/"],
    ["a trailing slash after a path", "spiffe://cluster.local/ns/demo/"],
    ["an empty segment", "spiffe://cluster.local/ns//demo"],
    ["a dot segment", "spiffe://cluster.local/ns/./demo"],
    ["a parent segment", "spiffe://cluster.local/ns/demo/.."],
    ["percent encoding", "spiffe://cluster.local/ns/d%2Femo"],
    ["a query", "spiffe://cluster.local/ns?x=1"],
    ["a fragment", "spiffe://cluster.local/ns#x"],
    ["a newline at the end", "spiffe://cluster.local/ns/demo\n"],
    ["a NUL", "spiffe://cluster.local/ns\0/demo"],
    ["letters outside ASCII", "spiffe://cluster.local/ns/démo"],
    ["a trust domain of 256 bytes", `spiffe://${"a".repeat(256)}/x`],
    ["2,049 bytes", `spiffe://a/${"p".repeat(2_038)}`],
    ["nothing", ""],
  ] as const) {
    test(`refuses ${why}`, () => {
      assert.equal(parseSpiffeId(text), undefined);
      assert.equal(trustDomainOf(text), "");
    });
  }

  test("of any text, takes only what is the same text again", () => {
    const part = fc.string({ unit: fc.constantFrom(...Array.from("aZ0./-_%\n: ")) });
    fc.assert(
      fc.property(part, part, (domain, path) => {
        const text = `spiffe://${domain}/${path}`;
        const id = parseSpiffeId(text);
        if (id === undefined) return;
        assert.equal(`spiffe://${id.trustDomain}${id.path}`, text);
        assert.equal(trustDomainProblem(id.trustDomain), undefined);
        for (const segment of id.path.split("/").slice(1)) assert.match(segment, /^(?!\.{1,2}$)[\w.-]+$/);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("a trust domain's name that cannot be one is told why", () => {
  assert.equal(trustDomainProblem("prod.example.org"), undefined);
  assert.equal(trustDomainProblem(""), "is empty");
  assert.match(trustDomainProblem("a".repeat(256)) ?? "", /longer than 255/);
  for (const name of ["Example.org", "a/b", "a b", "a:1", "a\n"])
    assert.match(trustDomainProblem(name) ?? "", /lower case letters/);
  assert.equal(workloadId("a.b", "demo", "web"), "spiffe://a.b/ns/demo/sa/web");
});
