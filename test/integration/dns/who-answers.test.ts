import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "dns-packet";
import { askWhoAnswers } from "../../../src/dns/report/who-answers.ts";
import { askBytes } from "../../support/dns-client.ts";
import { startDnsUpstream } from "../../support/dns-upstream.ts";
import { freePorts } from "../../support/free-ports.ts";
import { patience } from "../../support/patience.ts";
import { runningDns } from "../../support/running-dns.ts";

const withinMs = patience(5_000);

test("a DNS proxy says who it is over UDP and TCP, also before there is a name table, and asks nobody for it", async () => {
  await using one = await runningDns({});
  await using other = await runningDns({ table: {} });
  const said = await Promise.all(
    [one, other].flatMap(({ target }) =>
      (["udp", "tcp"] as const).map((protocol) => askWhoAnswers(target, protocol, withinMs)),
    ),
  );
  const ids = said.map((answer) => (answer.kind === "answered" ? answer.id : answer.message));
  for (const id of ids) assert.match(id, /^outrider [0-9a-f]{16}$/);
  assert.equal(ids[0], ids[1]);
  assert.equal(ids[2], ids[3]);
  assert.notEqual(ids[0], ids[2]);
  assert.equal(other.upstream.queries.length, 0);
  assert.match(await other.metrics.render(), /dns_answers_total\{source="own"\} 2\n/);
});

test("the answer has EDNS when the query had, and other questions of its class are an upstream's", async () => {
  await using dns = await runningDns({ table: {} });
  const query = (name: string) =>
    encode({
      ...{ type: "query", id: 7, flags: 0x0100, questions: [{ name, type: "TXT", class: "CH" }] },
      additionals: [
        {
          ...{ type: "OPT", name: ".", udpPayloadSize: 1_232, extendedRcode: 0, ednsVersion: 0 },
          ...{ flags: 0, flag_do: false, options: [] },
        },
      ],
    });
  const { packet } = await askBytes(dns.target, query("ID.Server"));
  assert.equal(packet.answers?.[0]?.name, "ID.Server");
  assert.deepEqual(
    packet.additionals?.map(({ type }) => type),
    ["OPT"],
  );
  await askBytes(dns.target, query("version.bind"));
  assert.deepEqual(
    dns.upstream.queries.map(({ name }) => name.toLowerCase()),
    ["version.bind"],
  );
});

test("another server says nothing of the kind, or nothing at all", async () => {
  await using upstream = await startDnsUpstream("127.0.0.1");
  for (const protocol of ["udp", "tcp"] as const)
    assert.deepEqual(await askWhoAnswers(upstream, protocol, withinMs), { kind: "answered", id: "" });
  upstream.respond = () => undefined;
  assert.deepEqual(await askWhoAnswers(upstream, "udp", 50), { kind: "failed", message: "nobody answered" });
  const [port = 0] = await freePorts(1);
  for (const protocol of ["udp", "tcp"] as const) {
    const answer = await askWhoAnswers({ host: "127.0.0.1", port }, protocol, withinMs);
    assert.match(answer.kind === "failed" ? answer.message : answer.id, /ECONNREFUSED/);
  }
});
