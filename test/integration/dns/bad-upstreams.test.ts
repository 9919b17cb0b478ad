/** An upstream that fails, forges or says half of it: the next one is asked, and its word counts. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { describe, test } from "node:test";
import { askDns } from "../../support/dns-client.ts";
import { answerTo, type UpstreamQuery, usualAnswer } from "../../support/dns-upstream.ts";
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
