import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { describe, test } from "node:test";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { askBytes, askDns, queryBytes } from "../../support/dns-client.ts";
import {
  answerTo,
  soa,
  startDnsUpstream,
  type UpstreamQuery,
  usualAnswer,
} from "../../support/dns-upstream.ts";
import { eventually } from "../../support/eventually.ts";
import { runningDns } from "../../support/running-dns.ts";

const right = ["203.0.113.7"];

/** With another ID, question or flag than it has to have. */
function changed(query: UpstreamQuery, change: (bytes: Buffer) => void): Buffer {
  const answer = answerTo(query, [{ type: "A", name: query.name, data: "198.51.100.66", ttl: 60 }]);
  change(answer);
  return answer;
}

describe("the next upstream is asked when one", () => {
  const failures: Readonly<Record<string, (query: UpstreamQuery) => Buffer | undefined>> = {
    "says SERVFAIL": (query) => answerTo(query, [], { rcode: 2 }),
    "says REFUSED": (query) => answerTo(query, [], { rcode: 5 }),
    "says NOTIMP": (query) => answerTo(query, [], { rcode: 4 }),
    "says nothing": () => undefined,
    "says half of a header": () => Buffer.alloc(5),
    "answers with another ID": (query) =>
      changed(query, (bytes) => bytes.writeUInt16BE(bytes.readUInt16BE(0) ^ 1, 0)),
    "answers another name": (query) => changed(query, (bytes) => bytes.write("x", 13)),
    "answers another type": (query) =>
      changed(query, (bytes) => bytes.writeUInt16BE(16, 12 + query.name.length + 2)),
    "sends the query back": ({ bytes }) => bytes,
    "says that there are more records than it sends": (query) =>
      changed(query, (bytes) => bytes.writeUInt16BE(9, 6)),
    "says that a record is longer than the message": (query) =>
      changed(query, (bytes) => bytes.writeUInt16BE(4_000, bytes.length - 6)),
    "answers a name in another case, and takes no TCP": (query) =>
      changed(query, (bytes) => {
        for (let at = 13; at < 13 + 3; at += 1) bytes[at] = (bytes[at] ?? 0) ^ 0x20;
      }),
  };
  for (const [what, respond] of Object.entries(failures))
    test(what, async () => {
      await using dns = await runningDns({ table: {}, upstreams: 2, options: { forwardTimeoutMs: 4_000 } });
      dns.upstream.respond = respond;
      dns.upstream.takesTcp = false;
      assert.deepEqual((await askDns(dns.target, "www.example.com")).data, right);
      // It is asked last from then on, if it did not answer.
      assert.deepEqual((await askDns(dns.target, "www2.example.com")).data, right);
    });

  for (const [what, frame] of Object.entries({
    "more than it sends, and closes": (answer) => Buffer.concat([Buffer.from([0xff, 0xff]), answer]),
    "less than it sends": (answer) => Buffer.concat([Buffer.from([0, 20]), answer]),
    nothing: () => Buffer.from([0, 0]),
    "half of what it sends, twice": (answer) =>
      Buffer.concat([Buffer.from([0, answer.length / 2]), answer, answer]),
  } satisfies Record<string, (answer: Buffer) => Buffer>))
    test(`says over TCP that it sends ${what}`, async () => {
      await using dns = await runningDns({
        ...{ table: {}, upstreams: 2, resolvConf: "options use-vc" },
        options: { forwardTimeoutMs: 4_000 },
      });
      dns.upstream.respond = (query) => {
        query.connection?.end(frame(usualAnswer(query)));
        return undefined;
      };
      assert.deepEqual((await askDns(dns.target, "www.example.com")).data, right);
      assert.equal(dns.upstream.queries.length, 1);
    });

  test("is not there", async () => {
    await using dns = await runningDns({ table: {}, upstreams: 2 });
    await dns.upstream[Symbol.asyncDispose]();
    assert.deepEqual((await askDns(dns.target, "www.example.com")).data, right);
  });

  test("answers from another address, and that is not taken", async () => {
    await using dns = await runningDns({ table: {}, upstreams: 2, options: { forwardTimeoutMs: 4_000 } });
    const other = createSocket("udp4");
    dns.upstream.respond = (query) => {
      const answer = changed(query, () => undefined);
      other.send(answer, query.from?.port ?? 0, query.from?.address);
      return undefined;
    };
    assert.deepEqual((await askDns(dns.target, "www.example.com")).data, right);
    other.close();
  });

  test("floods with forgeries before it answers, and only the answer counts", async () => {
    await using dns = await runningDns({ table: {} });
    dns.upstream.respond = (query) => {
      for (let each = 1; each < 200; each += 1)
        query.send(
          changed(query, (bytes) => bytes.writeUInt16BE((bytes.readUInt16BE(0) + each) & 0xffff, 0)),
        );
      return usualAnswer(query);
    };
    assert.deepEqual((await askDns(dns.target, "www.example.com")).data, right);
    assert.match(
      await dns.metrics.render(),
      /outrider_dns_rejected_answers_total\{reason="unknown id"\} 1\d\d/,
    );
  });
});

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

describe("while an upstream does everything wrong in turn", () => {
  test("names of the mesh and all others are answered right, and nothing stays open", async () => {
    const entries = 50;
    await using dns = await runningDns({
      ...{ table: { "mesh.example": { ips: ["192.0.2.1"] } }, upstreams: 2 },
      // So it is asked each time, however often it was wrong.
      options: { forwardTimeoutMs: 8_000, cacheEntries: entries, isParallel: true },
    });
    const wrongs: readonly ((query: UpstreamQuery) => Buffer | undefined)[] = [
      () => undefined,
      (query) => answerTo(query, [], { rcode: 2 }),
      (query) => answerTo(query, [], { flags: 0x0380 }),
      (query) => changed(query, (bytes) => bytes.writeUInt16BE(bytes.readUInt16BE(0) ^ 1, 0)),
      (query) => changed(query, (bytes) => bytes.writeUInt16BE(9, 6)),
      (query) => changed(query, (bytes) => bytes.write("x", 13)),
      (query) => {
        for (let each = 0; each < 50; each += 1) query.send(Buffer.alloc(each * 20, each));
        return undefined;
      },
    ];
    let turn = 0;
    dns.upstream.takesTcp = false;
    dns.upstream.respond = (query) => wrongs[(turn += 1) % wrongs.length]?.(query);
    const asked = Array.from({ length: 20 }, (_, round) =>
      Array.from({ length: 20 }, (__, at) => `${round}-${at}`),
    );
    for (const names of asked) {
      const [mesh, ...others] = await Promise.all([
        askDns(dns.target, "mesh.example"),
        ...names.map((name) => askDns(dns.target, `w${name}.example.com`)),
      ]);
      assert.deepEqual(mesh.data, ["192.0.2.1"]);
      // What was cut short is all that there is of it where TCP is refused.
      for (const { data, packet } of others)
        assert.ok(packet.flag_tc || data.join() === right.join(), data.join());
    }
    assert.equal(dns.upstream.queries.filter(({ overTcp }) => !overTcp).length, 400);
    const metrics = await dns.metrics.render();
    assert.match(metrics, /^outrider_dns_open_queries 0$/m);
    const kept = Number(/^outrider_dns_cached_answers (\d+)$/m.exec(metrics)?.[1]);
    assert.ok(kept > 0 && kept <= entries, `${kept} are kept`);
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
