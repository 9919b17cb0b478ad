import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { explanationLines } from "../../../src/cli/dns-lines.ts";
import { answerTo } from "../../support/dns-upstream.ts";
import { kubernetes } from "../../support/name-table.ts";
import { runningDns } from "../../support/running-dns.ts";

const table = {
  "reviews.ns1.svc.cluster.local": kubernetes("reviews", "ns1", "10.0.0.1", "fd00::1"),
  "*.wild.example": { ips: ["192.0.2.3"] },
};
const resolvConf = "search ns1.svc.cluster.local corp.example\noptions ndots:5";

describe("how a name is answered", () => {
  test("by the table", async () => {
    await using dns = await runningDns({ table, resolvConf });
    const lines = async (name: string, type: "A" | "AAAA" = "A"): Promise<readonly string[]> => {
      const explanation = await dns.proxy.explain(name, type);
      return explanationLines(explanation ?? assert.fail("nothing")).slice(0, -1);
    };
    assert.deepEqual(await lines("reviews"), [
      "reviews.ns1.svc.cluster.local: 1 of A, from the name table by its name, entry reviews.ns1.svc.cluster.local",
      "  A 10.0.0.1",
    ]);
    assert.deepEqual(await lines("reviews.ns1.svc.cluster.local.", "AAAA"), [
      "reviews.ns1.svc.cluster.local: 1 of AAAA, from the name table by its name, entry reviews.ns1.svc.cluster.local",
      "  AAAA fd00::1",
    ]);
    assert.deepEqual(await lines("a.wild.example"), [
      "a.wild.example.ns1.svc.cluster.local: 1 of A, from the name table by its wildcard and search domain, entry *.wild.example, with a CNAME to a.wild.example",
      "  A 192.0.2.3",
    ]);
    assert.equal(await dns.proxy.explain("no..name", "A"), undefined);
  });

  test("by the upstreams, each of which is named with what it said", async () => {
    await using dns = await runningDns({ table, resolvConf, upstreams: 2 });
    dns.upstream.respond = (query) => answerTo(query, [], { rcode: 2 });
    const explanation = await dns.proxy.explain("www.example.com", "A");
    const lines = explanationLines(explanation ?? assert.fail("nothing")).map((line) =>
      line.replaceAll(/:\d{4,5}\b/g, ":PORT").replaceAll(/\d+ ms/g, "N ms"),
    );
    assert.deepEqual(lines, [
      "www.example.com.ns1.svc.cluster.local: 1 of A, from an upstream server",
      "  A 203.0.113.7",
      "  127.0.0.2:PORT over UDP: answered after N ms",
      "  127.0.0.3:PORT over UDP: answered after N ms",
      "name table: there; upstream servers: 127.0.0.2:PORT 127.0.0.3:PORT; search: ns1.svc.cluster.local corp.example; ndots: 5",
    ]);
  });
});
