/** What resolv.conf says is done, and followed when it changes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { askDns } from "../../support/dns-client.ts";
import { answerTo, startDnsUpstream } from "../../support/dns-upstream.ts";
import { eventually } from "../../support/eventually.ts";
import { runningDns } from "../../support/running-dns.ts";

const right = ["203.0.113.7"];

describe("resolv.conf", () => {
  test("rotate, edns0 and use-vc count", async () => {
    await using dns = await runningDns({ table: {}, upstreams: 2, resolvConf: "options rotate edns0" });
    for (let each = 0; each < 4; each += 1) {
      const { packet } = await askDns(dns.target, `w${each}.example.com`);
      assert.deepEqual(packet.additionals, [], "who sent no EDNS gets none");
    }
    assert.deepEqual(
      dns.upstreams.map(({ queries }) => queries.length),
      [2, 2],
    );
    assert.ok(dns.upstream.queries.every(({ packet }) => packet.additionals?.[0]?.type === "OPT"));
    await using tcp = await runningDns({ table: {}, resolvConf: "options use-vc" });
    assert.deepEqual((await askDns(tcp.target, "www.example.com")).data, right);
    assert.deepEqual(
      tcp.upstream.queries.map(({ overTcp }) => overTcp),
      [true],
    );
  });

  for (const attempts of [1, 3])
    test(`attempts:${attempts} asks a server that says nothing so often`, async () => {
      await using dns = await runningDns({
        ...{ table: {}, resolvConf: `options attempts:${attempts}` },
        options: { forwardTimeoutMs: 1_500 },
      });
      dns.upstream.respond = () => undefined;
      assert.equal((await askDns(dns.target, "www.example.com")).packet.rcode, "SERVFAIL");
      assert.equal(dns.upstream.queries.length, attempts);
    });

  for (const how of ["rename", "in place"] as const)
    test(`is followed after a change by ${how}`, async () => {
      await using dns = await runningDns({ table: {}, upstreams: 2 });
      const [first, second] = dns.upstreams;
      dns.rewrite(dns.file([second?.host ?? ""]), how);
      await eventually(
        "the other server",
        async () => {
          const before = second?.queries.length;
          await askDns(dns.target, "www.example.com");
          assert.notEqual(second?.queries.length, before);
        },
        { withinMs: 20_000 },
      );
      const asked = first?.queries.length;
      assert.deepEqual((await askDns(dns.target, "www.example.com")).data, right);
      assert.equal(first?.queries.length, asked);
    });

  for (const [what, text, how] of [
    ["emptied", "", "in place"],
    ["full of something else", "nameserver what\u0000ever\noptions ndots:x", "in place"],
    ["removed", "", "remove"],
  ] as const)
    test(`that is ${what} leaves the servers from before`, async () => {
      await using dns = await runningDns({ table: {} });
      dns.rewrite(text, how);
      // Two looks: what changes is looked at again until it has settled.
      await sleep(1_500);
      assert.deepEqual((await askDns(dns.target, "www.example.com")).data, right);
    });

  test("all servers are asked at once where that is wanted", async () => {
    await using dns = await runningDns({ table: {}, upstreams: 3, options: { isParallel: true } });
    const [first, second] = dns.upstreams;
    assert.ok(first && second);
    first.respond = () => undefined;
    second.respond = (query) => answerTo(query, [], { rcode: 2 });
    assert.deepEqual((await askDns(dns.target, "www.example.com")).data, right);
    assert.deepEqual(
      dns.upstreams.map(({ queries }) => queries.length),
      [1, 1, 1],
    );
  });
});

test("a file that names the DNS proxy itself has it ask the others alone", async () => {
  await using other = await startDnsUpstream("127.0.0.9");
  const { port } = other;
  await using dns = await runningDns({
    table: {},
    options: { upstreamPort: port, listen: { kind: "address", host: "127.0.0.1", port } },
  });
  dns.rewrite("nameserver 127.0.0.1\nnameserver 127.0.0.9\n", "rename");
  await eventually(
    "the other one",
    async () => {
      const explained = await dns.proxy.explain("www.example.com.", "A");
      assert.deepEqual(explained?.servers, [`127.0.0.9:${port}`]);
    },
    { withinMs: 20_000 },
  );
  other.queries.length = 0;
  assert.deepEqual((await askDns(dns.target, "www.example.com")).data, right);
  assert.equal(other.queries.length, 1);
  dns.rewrite("nameserver 127.0.0.1\n", "rename");
  await eventually(
    "nobody is left",
    async () => {
      assert.equal((await askDns(dns.target, "www.example.com")).packet.rcode, "SERVFAIL");
    },
    { withinMs: 20_000 },
  );
});
