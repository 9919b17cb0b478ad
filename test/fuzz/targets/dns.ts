/** Messages to the DNS proxy, from clients and from upstream servers. */
import assert from "node:assert/strict";
import { decode, encode, type RecordType } from "dns-packet";
import { AnswerCache } from "../../../src/dns/answer/answer-cache.ts";
import { Answerer } from "../../../src/dns/answer/answerer.ts";
import type { NameTable } from "../../../src/dns/table/name-table.ts";
import { nameTableOf } from "../../../src/dns/table/read-table.ts";
import { disguised, matchOf, undisguised } from "../../../src/dns/upstream/exchange.ts";
import { parseResolvConf } from "../../../src/dns/upstream/resolv-conf.ts";
import { questionEndOf } from "../../../src/dns/wire/records.ts";
import { truncated, withoutOpt, withOpt } from "../../../src/dns/wire/reply.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";
import { queryBytes } from "../../support/dns-client.ts";
import { kubernetes, nameTableBytes } from "../../support/name-table.ts";
import type { FuzzTarget } from "../target.ts";

const table = nameTableOf(
  nameTableBytes({
    "a.ns1.svc.cluster.local": kubernetes("a", "ns1", "10.0.0.1", "10.0.0.2", "fd00::1"),
    "*.wild.example": { ips: ["192.0.2.3"] },
    "www.example.com": { ips: ["192.0.2.4"] },
  }),
  { namespace: "ns1", domain: "ns1.svc.cluster.local" },
);
const addresses = new Set(["10.0.0.1", "10.0.0.2", "fd00::1", "192.0.2.3", "192.0.2.4"]);
const config = parseResolvConf("search ns1.svc.cluster.local corp.example", 53);

const types: readonly RecordType[] = ["A", "AAAA", "PTR", "TXT", "SRV"];
const names = ["a", "a.ns1", "A.ns1.svc.cluster.local", "x.wild.example", "www.example.com.corp.example"];
const queries = names.flatMap((name) => types.map((type) => queryBytes(name, type, { ednsBytes: 1_232 })));

const whoAnswers = encode({
  ...{ type: "query", id: 1, questions: [{ name: "id.server", type: "TXT", class: "CH" }] },
});

function newAnswerer(): Answerer {
  return new Answerer(
    { serverId: "outrider", style: { ttl: 30, random: Math.random }, clientQueries: 10 },
    {
      table: new Watch<NameTable | undefined>(table),
      config: () => config,
      forwarder: {
        forward: () => Promise.resolve({ message: undefined, isGood: false, tries: [] }),
        hasSent: () => false,
      },
      cache: new AnswerCache({ entries: 10, staleMs: 1_000 }),
      isGated: () => false,
      answered: () => undefined,
    },
  );
}

/** An answer has to be one, to this question, and of the table's addresses. */
function check(query: Buffer, answer: Buffer, limit: number): void {
  assert.equal(answer.readUInt16BE(0), query.readUInt16BE(0), "another ID");
  assert.ok(((answer[2] ?? 0) & 0x80) !== 0, "it is no answer");
  assert.ok(answer.length <= limit, `${answer.length} bytes`);
  const end = questionEndOf(answer);
  if (answer.readUInt16BE(4) === 1) {
    assert.ok(
      end !== undefined && answer.subarray(12, end).equals(query.subarray(12, end)),
      "another question",
    );
  } else assert.equal(answer.length, 12);
  const packet = decode(answer);
  const owner = packet.questions?.[0]?.name;
  let expected = owner;
  for (const record of packet.answers ?? []) {
    if (record.type === "PTR" || record.type === "TXT") continue;
    assert.equal(record.name, expected, "a record of another name");
    if (record.type === "CNAME") expected = record.data;
    else assert.ok((record.type === "A" || record.type === "AAAA") && addresses.has(record.data));
  }
}

/** Queries as clients send them. */
const queryTarget: FuzzTarget = {
  name: "dns-query",
  corpus: "dns-query",
  seeds: [...queries, whoAnswers],
  words: [
    "\u0001a",
    "\u0003ns1",
    "\u00c0\u000c",
    "\u0001*",
    "\u0000\u0001\u0000\u0001",
    "\u003f",
    "\u0000\u0000\u0029",
  ],
  concurrency: 8,
  maxBytes: 600,
  open: () => {
    const answerer = newAnswerer();
    const client = { address: "127.0.0.1", port: 1, overTcp: false };
    return Promise.resolve({
      feed: async (input) => {
        const answer = await answerer.answer(input, client);
        if (answer !== undefined) check(input, answer, 65_535);
      },
      whole: async () => {
        const answer = await answerer.answer(queryBytes("a"), client);
        assert.equal(decode(answer ?? Buffer.alloc(0)).answers?.length, 2);
        assert.equal(answerer.open, 0);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  },
};

const sent = disguised(queryBytes("www.example.com"), queryBytes("www.example.com").length, 7, 0xffff_ffff);
const answers = [0, 1, 20].map((count) => {
  const answer = encode({
    ...{ type: "response", id: 7, questions: [{ name: "www.example.com", type: "A" }] },
    answers: Array.from({ length: count }, (_, index) => ({
      ...{ type: "A" as const, name: "www.example.com", ttl: 60, data: `198.51.100.${index}` },
    })),
  });
  sent.message.copy(answer, 12, 12, sent.questionEnd);
  return answer;
});

/** Answers as upstream servers send them. */
const answerTarget: FuzzTarget = {
  name: "dns-answer",
  corpus: "dns-answer",
  seeds: [...answers, ...answers.map(withOpt)],
  words: ["\u00c0\u000c", "\u0000\u0001\u0000\u0001", "\u0000\u0006", "\u0000\u0029", "\u00ff\u00ff"],
  concurrency: 1,
  maxBytes: 2_000,
  open: () => {
    const cache = new AnswerCache({ entries: 50, staleMs: 1_000 });
    const client = queryBytes("www.example.com", "A", { id: 99 });
    let now = 0;
    return Promise.resolve({
      feed: (input) => {
        if (matchOf(input, sent) !== "yes") return Promise.resolve();
        assert.ok(input.subarray(12, sent.questionEnd).equals(sent.message.subarray(12, sent.questionEnd)));
        now += 1_000;
        cache.put(String(now % 60_000), input, now);
        assert.ok(cache.size <= 50);
        for (const one of [input, cache.take(String(now % 60_000), now), cache.takeStale("1000", now)]) {
          if (one === undefined) continue;
          const answer = undisguised(Buffer.from(withoutOpt(one)), client, sent.questionEnd);
          const short = truncated(answer, 512);
          assert.ok(short.length <= 512 && short.readUInt16BE(0) === 99);
          const end = questionEndOf(short);
          assert.ok(
            short.length === 12 ||
              (end !== undefined && short.subarray(12, end).equals(client.subarray(12, end))),
          );
        }
        return Promise.resolve();
      },
      whole: () => {
        cache.put("right", answers[1] ?? Buffer.alloc(0), now);
        assert.ok(cache.take("right", now) !== undefined);
        return Promise.resolve();
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  },
};

export const dnsTargets: readonly FuzzTarget[] = [queryTarget, answerTarget];
