/** What upstreams said is kept as long as it may be. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { askDns } from "../../support/dns-client.ts";
import { answerTo, soa, type UpstreamQuery } from "../../support/dns-upstream.ts";
import { runningDns } from "../../support/running-dns.ts";

describe("what upstreams said is kept", () => {
  const kept = { cacheEntries: 100 };

  test("as long as they say, with what is left of it, also that there is nothing", async () => {
    await using dns = await runningDns({ table: {}, options: kept });
    for (let each = 0; each < 3; each += 1) {
      const { packet } = await askDns(dns.target, "WWW.example.com", "A", { id: 100 + each });
      assert.equal(packet.id, 100 + each);
      assert.deepEqual(packet.questions?.[0]?.name, "WWW.example.com");
      await askDns(dns.target, "www.example.com", "AAAA");
    }
    assert.equal(dns.upstream.queries.length, 2);
    dns.upstream.respond = (query) => answerTo(query, [], { rcode: 3, authorities: [soa("example.com")] });
    for (let each = 0; each < 3; each += 1)
      assert.equal((await askDns(dns.target, "nowhere.example.com")).packet.rcode, "NXDOMAIN");
    assert.equal(dns.upstream.queries.length, 3);
  });

  test("not when they say so, nor when it is off, nor a failure", async () => {
    await using dns = await runningDns({ table: {}, options: kept });
    dns.upstream.respond = (query) =>
      answerTo(query, [{ type: "A", name: query.name, data: "198.51.100.1", ttl: 0 }]);
    for (let each = 0; each < 2; each += 1) await askDns(dns.target, "www.example.com");
    dns.upstream.respond = (query) => answerTo(query, [], { rcode: 5 });
    for (let each = 0; each < 2; each += 1) await askDns(dns.target, "w2.example.com");
    assert.equal(dns.upstream.queries.length, 2 + 2);
    await using off = await runningDns({ table: {} });
    for (let each = 0; each < 2; each += 1) await askDns(off.target, "www.example.com");
    assert.equal(off.upstream.queries.length, 2);
  });

  test("and served after its time while none answers, if that is wanted", async () => {
    const options = { ...kept, forwardTimeoutMs: 500 };
    const short = (query: UpstreamQuery): Buffer =>
      answerTo(query, [{ type: "A", name: query.name, data: "198.51.100.1", ttl: 1 }]);
    await using stale = await runningDns({ table: {}, options: { ...options, serveStaleMs: 60_000 } });
    await using strict = await runningDns({ table: {}, options });
    for (const dns of [stale, strict]) {
      dns.upstream.respond = short;
      assert.deepEqual((await askDns(dns.target, "www.example.com")).data, ["198.51.100.1"]);
      dns.upstream.respond = () => undefined;
    }
    await sleep(1_100);
    const { packet, data } = await askDns(stale.target, "www.example.com");
    const [answer] = packet.answers ?? [];
    assert.deepEqual([data, answer?.type === "A" && answer.ttl], [["198.51.100.1"], 30]);
    assert.equal((await askDns(strict.target, "www.example.com")).packet.rcode, "SERVFAIL");
    stale.upstream.respond = (query) => answerTo(query, [], { rcode: 2 });
    assert.deepEqual((await askDns(stale.target, "www.example.com")).data, ["198.51.100.1"]);
    assert.match(await stale.metrics.render(), /outrider_dns_answers_total\{source="stale"\} 2/);
  });
});
