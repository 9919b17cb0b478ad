/** What upstreams are asked, and what becomes of their answers. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { describe, test } from "node:test";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { askBytes, askDns, queryBytes } from "../../support/dns-client.ts";
import { answerTo, usualAnswer } from "../../support/dns-upstream.ts";
import { runningDns } from "../../support/running-dns.ts";

const right = ["203.0.113.7"];

describe("an upstream", () => {
  test("that fails is the last word when there is no other", async () => {
    await using dns = await runningDns({ table: {} });
    dns.upstream.respond = (query) => answerTo(query, [], { rcode: 5 });
    assert.equal((await askDns(dns.target, "www.example.com")).packet.rcode, "REFUSED");
  });

  test("that says nothing is an error in the end", async () => {
    await using dns = await runningDns({ table: {}, options: { forwardTimeoutMs: 600 } });
    dns.upstream.respond = () => undefined;
    const { packet } = await askDns(dns.target, "www.example.com", "A", { ednsBytes: 1_232 });
    assert.equal(packet.rcode, "SERVFAIL");
    assert.deepEqual(
      packet.additionals?.map(({ type }) => type),
      ["OPT"],
    );
  });

  test("that answers late still counts", async () => {
    await using dns = await runningDns({ table: {}, upstreams: 2, options: { forwardTimeoutMs: 8_000 } });
    dns.upstream.respond = (query) => {
      void sleep(2_500).then(() => {
        query.send(usualAnswer(query));
      });
      return undefined;
    };
    const [, second] = dns.upstreams;
    assert.ok(second);
    second.respond = () => undefined;
    assert.deepEqual((await askDns(dns.target, "www.example.com")).data, right);
  });

  test("that cuts an answer short is asked again over TCP", async () => {
    await using dns = await runningDns({ table: {} });
    const many = Array.from({ length: 80 }, (_, index) => `198.51.100.${index}`);
    dns.upstream.respond = (query) => {
      if (!query.overTcp) return answerTo(query, [], { flags: 0x0380 });
      return answerTo(
        query,
        many.map((data) => ({ type: "A", name: query.name, data, ttl: 60 })),
      );
    };
    assert.deepEqual((await askDns(dns.overTcp, "www.example.com")).data, many);
    const { packet, data, bytes } = await askDns(dns.target, "www.example.com");
    assert.ok(packet.flag_tc && bytes.length <= 512 && data.length > 10 && data.length < 80);
    assert.deepEqual((await askDns(dns.target, "w3.example.com", "A", { ednsBytes: 4_096 })).data, many);
  });

  test("that refuses TCP passes on what was cut short", async () => {
    await using dns = await runningDns({ table: {} });
    dns.upstream.takesTcp = false;
    dns.upstream.respond = (query) =>
      answerTo(query, [{ type: "A", name: query.name, data: "198.51.100.1", ttl: 60 }], { flags: 0x0380 });
    const { packet, data } = await askDns(dns.target, "www.example.com");
    assert.deepEqual([packet.flag_tc, data], [true, ["198.51.100.1"]]);
  });

  test("gets names in random case, from random ports, with random IDs", async () => {
    await using dns = await runningDns({ table: {} });
    for (let each = 0; each < 12; each += 1)
      assert.deepEqual(
        (await askDns(dns.target, "a-rather-long-name.example.com", "A", { id: 1 })).data,
        right,
      );
    const { queries } = dns.upstream;
    assert.ok(new Set(queries.map(({ packet }) => packet.id)).size > 6);
    assert.ok(new Set(queries.map(({ from }) => from?.port)).size > 3);
    assert.ok(new Set(queries.map(({ bytes }) => bytes.subarray(12, 40).toString("latin1"))).size > 6);
  });

  for (const takesTcp of [false, true])
    test(`that gives names back in lower case, ${takesTcp ? "and takes" : "without"} TCP, is asked so from then on`, async () => {
      await using dns = await runningDns({ table: {} });
      dns.upstream.takesTcp = takesTcp;
      dns.upstream.respond = (query) => {
        const answer = usualAnswer(query);
        answer.write(answer.toString("latin1", 12, 12 + query.name.length + 1).toLowerCase(), 12, "latin1");
        return answer;
      };
      for (const asked of [2, 3, 4]) {
        const { data, packet } = await askDns(dns.target, "A-rather-long-name.example.com");
        assert.deepEqual([data, packet.questions?.[0]?.name], [right, "A-rather-long-name.example.com"]);
        assert.equal(dns.upstream.queries.length, asked);
      }
    });

  test("gets EDNS options, sizes and DO as they came, and DNSSEC records come back", async () => {
    await using dns = await runningDns({ table: {} });
    dns.upstream.respond = (query) =>
      answerTo(query, [
        {
          type: "DS",
          name: query.name,
          ttl: 60,
          data: { keyTag: 7, algorithm: 8, digestType: 2, digest: Buffer.alloc(32, 1) },
        },
      ]);
    const { packet } = await askDns(dns.target, "example.com", "DS", { ednsBytes: 1_400, dnssec: true });
    assert.deepEqual(
      packet.answers?.map(({ type }) => type),
      ["DS"],
    );
    const [opt] = dns.upstream.queries[0]?.packet.additionals ?? [];
    assert.ok(opt?.type === "OPT" && opt.udpPayloadSize === 1_400 && opt.flag_do);
  });
});

describe("one client", () => {
  test("has so many queries open and no more, and others are served", async () => {
    await using dns = await runningDns({ table: {}, options: { clientQueries: 5, forwardTimeoutMs: 3_000 } });
    dns.upstream.respond = () => undefined;
    const rcodes = await Promise.all(
      Array.from(
        { length: 12 },
        async (_, index) => (await askDns(dns.target, `w${index}.example.com`)).packet.rcode,
      ),
    );
    assert.equal(rcodes.filter((code) => code === "REFUSED").length, 7);
    assert.match(await dns.metrics.render(), /outrider_dns_answers_total\{source="limit"\} 7/);
  });

  test("that asks the same many times makes one query", async () => {
    await using dns = await runningDns({ table: {} });
    dns.upstream.respond = (query) => {
      void sleep(200).then(() => {
        query.send(usualAnswer(query));
      });
      return undefined;
    };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, id) =>
        askDns(dns.target, id % 2 === 0 ? "www.example.com" : "WWW.Example.com", "A", { id }),
      ),
    );
    assert.deepEqual(
      answers.map(({ packet }) => packet.id),
      Array.from({ length: 20 }, (_, id) => id),
    );
    assert.equal(dns.upstream.queries.length, 1);
  });
});

describe("a query that comes back to its sender", () => {
  test("ends there, is told once, and others are served", async () => {
    await using dns = await runningDns({ table: {}, upstreams: 2, options: { forwardTimeoutMs: 4_000 } });
    // As capture does it, that takes the agent's own queries too: from the same port, to the proxy.
    let loops = 0;
    dns.upstream.respond = (query) => {
      loops += 1;
      if (loops > 50) return undefined;
      const back = createSocket({ type: "udp4", reuseAddr: true });
      back.bind(query.from?.port, "127.0.0.9", () => {
        back.send(query.bytes, dns.target.port, dns.target.host);
        back.on("message", (answer) => {
          query.send(answer);
          back.close();
        });
      });
      return undefined;
    };
    assert.deepEqual((await askDns(dns.target, "www.example.com")).data, right);
    assert.equal(loops, 1);
    assert.match(await dns.metrics.render(), /outrider_dns_answers_total\{source="loop"\} 1/);
    assert.equal(dns.lines.filter((line) => line.includes("came back")).length, 1);
  });
});

test("Istio's metrics count queries, those to upstreams, what failed and how long it took", async () => {
  await using dns = await runningDns({ table: { "mesh.example": { ips: ["192.0.2.1"] } }, upstreams: 2 });
  await dns.upstream[Symbol.asyncDispose]();
  for (const name of ["mesh.example", "www.example.com"]) await askDns(dns.target, name);
  const metrics = await dns.metrics.render();
  for (const line of [
    "istio_agent_dns_requests_total 2",
    "istio_agent_dns_upstream_requests_total 2",
    "istio_agent_dns_upstream_failures_total 1",
    "istio_agent_dns_upstream_request_duration_seconds_count 1",
  ])
    assert.ok(metrics.split("\n").includes(line), `${line} is not in ${metrics}`);
});

test("queries over TCP beside each other are each answered", async () => {
  await using dns = await runningDns({ table: { "mesh.example": { ips: ["192.0.2.1"] } } });
  const answers = await Promise.all([
    askBytes(dns.overTcp, queryBytes("www.example.com")),
    askBytes(dns.overTcp, queryBytes("mesh.example")),
  ]);
  assert.deepEqual(
    answers.map(({ data }) => data),
    [right, ["192.0.2.1"]],
  );
});
