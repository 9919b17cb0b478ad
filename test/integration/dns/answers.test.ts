import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { askBytes, askDns, queryBytes } from "../../support/dns-client.ts";
import { kubernetes, nameTableBytes } from "../../support/name-table.ts";
import { eventually } from "../../support/eventually.ts";
import { runningDns } from "../../support/running-dns.ts";

const table = {
  "reviews.ns1.svc.cluster.local": kubernetes("reviews", "ns1", "10.0.0.1"),
  "dual.ns1.svc.cluster.local": kubernetes("dual", "ns1", "10.0.0.3", "fd00::3"),
  "many.ns1.svc.cluster.local": kubernetes(
    ...(["many", "ns1"] as const),
    ...Array.from({ length: 100 }, (_, index) => `10.2.0.${index + 1}`),
  ),
  "*.wild.example": { ips: ["192.0.2.3"] },
};

const resolvConf = "search ns1.svc.cluster.local svc.cluster.local\noptions ndots:5";

for (const overTcp of [false, true])
  describe(`over ${overTcp ? "TCP" : "UDP"}`, () => {
    test("a name of the mesh is answered as it was asked, with authority and the table's TTL", async () => {
      await using dns = await runningDns({ table, resolvConf });
      const { packet, data } = await askDns({ ...dns.target, overTcp }, "ReViews.NS1.svc.cluster.local");
      assert.deepEqual(data, ["10.0.0.1"]);
      assert.deepEqual(
        packet.questions?.map(({ name }) => name),
        ["ReViews.NS1.svc.cluster.local"],
      );
      assert.deepEqual(
        packet.answers?.map((one) => [one.name, "ttl" in one && one.ttl]),
        [["ReViews.NS1.svc.cluster.local", 30]],
      );
      assert.ok(packet.flag_aa && packet.flag_ra && packet.flag_rd && !packet.flag_tc);
      assert.equal(packet.id, 4_711);
      assert.equal(dns.upstream.queries.length, 0);
    });

    test("a family that the name lacks is an empty answer and no error", async () => {
      await using dns = await runningDns({ table, resolvConf });
      const { packet, data } = await askDns({ ...dns.target, overTcp }, "reviews", "AAAA");
      assert.deepEqual([packet.rcode, data, packet.flag_aa], ["NOERROR", [], true]);
    });

    test("a search domain is a CNAME to the name that was meant", async () => {
      await using dns = await runningDns({ table, resolvConf });
      const target = { ...dns.target, overTcp };
      const { packet } = await askDns(target, "a.wild.example.svc.cluster.local");
      assert.deepEqual(
        packet.answers?.map((one) => [one.name, one.type, "data" in one && one.data]),
        [
          ["a.wild.example.svc.cluster.local", "CNAME", "a.wild.example"],
          ["a.wild.example", "A", "192.0.2.3"],
        ],
      );
    });

    test("what the table does not know comes from the upstream, by the same way", async () => {
      await using dns = await runningDns({ table, resolvConf });
      const { packet, data } = await askDns({ ...dns.target, overTcp }, "Www.Example.com");
      assert.deepEqual(data, ["203.0.113.7"]);
      assert.deepEqual(
        packet.questions?.map(({ name }) => name),
        ["Www.Example.com"],
      );
      assert.equal(packet.flag_aa, false);
      assert.deepEqual(
        dns.upstream.queries.map((query) => query.overTcp),
        [overTcp],
      );
    });
  });

describe("an answer", () => {
  test("that is too long is cut at a record and says so, and is whole over TCP", async () => {
    await using dns = await runningDns({ table, resolvConf });
    const short = await askDns(dns.target, "many");
    assert.equal(short.packet.flag_tc, true);
    assert.ok(short.bytes.length <= 512 && short.data.length === 30, String(short.data.length));
    const longer = await askDns(dns.target, "many", "A", { ednsBytes: 1_232 });
    assert.ok(longer.bytes.length <= 1_232 && longer.data.length > 70);
    const whole = await askDns(dns.overTcp, "many");
    assert.deepEqual([whole.data.length, whole.packet.flag_tc], [100, false]);
  });

  test("has EDNS when the query had, and not else", async () => {
    await using dns = await runningDns({ table, resolvConf });
    const types = async (choices: object): Promise<unknown> =>
      (await askDns(dns.target, "reviews", "A", choices)).packet.additionals?.map(({ type }) => type);
    assert.deepEqual(await types({ ednsBytes: 4_096 }), ["OPT"]);
    assert.deepEqual(await types({}), []);
  });

  test("has its addresses in another order each time, and in the table's where asked", async () => {
    const orders = async (shuffles: boolean): Promise<ReadonlySet<string>> => {
      await using dns = await runningDns({ table, resolvConf, options: { shuffles } });
      const seen = new Set<string>();
      for (let each = 0; each < 5; each += 1) seen.add((await askDns(dns.overTcp, "many")).data.join());
      return seen;
    };
    assert.equal((await orders(true)).size, 5);
    assert.equal((await orders(false)).size, 1);
  });

  test("to another type of a name of the mesh never says that there is no such name", async () => {
    await using dns = await runningDns({ table, resolvConf });
    const { answerTo } = await import("../../support/dns-upstream.ts");
    dns.upstream.respond = (query) => answerTo(query, [], { rcode: 3 });
    const rcodes = [];
    for (const name of ["reviews.ns1.svc.cluster.local", "nowhere.example"])
      rcodes.push((await askDns(dns.target, name, 65)).packet.rcode);
    assert.deepEqual(rcodes, ["NOERROR", "NXDOMAIN"]);
  });

  test("to what is no question of one is an error, and to an answer there is none", async () => {
    await using dns = await runningDns({ table, resolvConf });
    const query = queryBytes("reviews");
    const changed = (change: (bytes: Buffer) => void): Buffer => {
      const copy = Buffer.from(query);
      change(copy);
      return copy;
    };
    const rcodeOf = async (bytes: Buffer): Promise<unknown> =>
      (await askBytes(dns.target, bytes)).packet.rcode;
    assert.equal(await rcodeOf(changed((bytes) => bytes.writeUInt16BE(0, 4))), "SERVFAIL");
    assert.equal(await rcodeOf(changed((bytes) => bytes.writeUInt16BE(2, 4))), "FORMERR");
    assert.equal(await rcodeOf(query.subarray(0, query.length - 3)), "FORMERR");
    assert.equal(await rcodeOf(changed((bytes) => bytes.writeUInt16BE(0x2000, 2))), "NOTIMP");
    await assert.rejects(
      askBytes(
        dns.target,
        changed((bytes) => bytes.writeUInt16BE(0x8180, 2)),
        300,
      ),
    );
  });
});

describe("while a large name table is read", () => {
  const large = (address: string): Uint8Array =>
    nameTableBytes(
      Object.fromEntries(
        Array.from({ length: 10_000 }, (_, index) => [
          `service-${index}.ns1.svc.cluster.local`,
          kubernetes(`service-${index}`, "ns1", address),
        ]),
      ),
    );

  test("other work goes on, and the table of before answers", async () => {
    await using dns = await runningDns({ table, resolvConf });
    let turns = 0;
    const reading = { isOver: false };
    const taken = dns.proxy.takeTable(large("10.9.0.1")).then((outcome) => {
      reading.isOver = true;
      return outcome;
    });
    let hosts: number | undefined;
    while (!reading.isOver) {
      hosts = dns.proxy.table.current?.facts.hosts;
      await nextTurn();
      turns += 1;
    }
    assert.equal(hosts, Object.keys(table).length);
    assert.ok(turns >= 20, `${turns} turns`);
    assert.deepEqual(await taken, { kind: "accepted" });
    assert.deepEqual((await askDns(dns.target, "service-9999")).data, ["10.9.0.1"]);
  });

  test("the one that comes later stays, whichever is read first", async () => {
    await using dns = await runningDns({ table, resolvConf });
    const small = nameTableBytes({ only: { ips: ["192.0.2.9"] } });
    await Promise.all([dns.proxy.takeTable(large("10.9.0.1")), dns.proxy.takeTable(small)]);
    assert.deepEqual((await askDns(dns.target, "only")).data, ["192.0.2.9"]);
    assert.equal(dns.proxy.table.current?.facts.hosts, 1);
  });
});

describe("while there is no name table", () => {
  test("queries fail until it comes", async () => {
    await using dns = await runningDns({ resolvConf });
    assert.equal((await askDns(dns.target, "www.example.com")).packet.rcode, "SERVFAIL");
    await dns.proxy.takeTable(undefined);
    assert.deepEqual((await askDns(dns.target, "www.example.com")).data, ["203.0.113.7"]);
  });

  test("they fail only so long as it is to be waited for", async () => {
    await using dns = await runningDns({ resolvConf, options: { gateMs: 1_000 } });
    await eventually(
      "forwarded",
      async () => {
        assert.deepEqual((await askDns(dns.target, "www.example.com")).data, ["203.0.113.7"]);
      },
      { withinMs: 20_000 },
    );
    assert.ok(dns.lines.some((line) => line.includes("no name table has come")));
    assert.match(await dns.metrics.render(), /dns_answers_total\{source="upstream"\} 1$/m);
  });

  test("all are forwarded at once where it is not waited for", async () => {
    await using dns = await runningDns({ resolvConf, options: { gateMs: 0 } });
    assert.deepEqual((await askDns(dns.target, "www.example.com")).data, ["203.0.113.7"]);
  });

  test("one that was kept serves until the first one comes, and not after it", async () => {
    await using dns = await runningDns({ resolvConf });
    const kept = (host: string) =>
      dns.proxy.takeTable(nameTableBytes({ [host]: { ips: ["192.0.2.9"] } }), new Date(0));
    assert.deepEqual(await kept("only"), { kind: "accepted" });
    assert.deepEqual((await askDns(dns.target, "only")).data, ["192.0.2.9"]);
    assert.deepEqual(dns.proxy.keptAsOf, new Date(0));
    assert.equal((await dns.proxy.explain("only", "A"))?.tableAsOf, new Date(0).toISOString());
    await dns.proxy.takeTable(nameTableBytes(table));
    await kept("too.late");
    assert.equal(dns.proxy.keptAsOf, undefined);
    assert.deepEqual((await askDns(dns.target, "reviews")).data, ["10.0.0.1"]);
    assert.equal((await dns.proxy.explain("only", "A"))?.tableAsOf, undefined);
  });

  test("what is no table changes nothing", async () => {
    await using dns = await runningDns({ table, resolvConf });
    const taken = await dns.proxy.takeTable(Buffer.from([0x0a, 0xff]));
    assert.equal(taken.kind, "refused");
    assert.deepEqual((await askDns(dns.target, "reviews")).data, ["10.0.0.1"]);
  });
});
