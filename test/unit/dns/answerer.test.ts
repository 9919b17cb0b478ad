import assert from "node:assert/strict";
import { test } from "node:test";
import { AnswerCache } from "../../../src/dns/answer/answer-cache.ts";
import { Answerer } from "../../../src/dns/answer/answerer.ts";
import type { Forwarded } from "../../../src/dns/upstream/forwarding.ts";
import { parseResolvConf } from "../../../src/dns/upstream/resolv-conf.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";

/** A query for the addresses of "a". */
const query = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 0, 0, 1, 0, 1]);
/** It has 192.0.2.7 for a minute. */
const withAddress = Buffer.concat([
  Buffer.from([0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]),
  query.subarray(12),
  Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]),
]);
const client = { address: "127.0.0.1", port: 4_000, overTcp: false };

test("a name that could not be forwarded once is forwarded when it is asked for again", async () => {
  let asked = 0;
  const answerer = new Answerer(
    { style: { ttl: 30, random: undefined }, serverId: "this one", clientQueries: 10 },
    {
      table: new Watch(undefined),
      config: () => parseResolvConf("nameserver 192.0.2.1\n", 53),
      forwarder: {
        forward: () => {
          asked += 1;
          return asked === 1
            ? Promise.reject(new Error("no socket"))
            : Promise.resolve({ isGood: true, message: Buffer.from(query), tries: [] });
        },
        hasSent: () => false,
      },
      cache: new AnswerCache({ entries: 10, staleMs: 0 }),
      isGated: () => false,
      answered: () => undefined,
    },
  );
  await assert.rejects(async () => answerer.answer(Buffer.from(query), client), /no socket/);
  assert.equal(answerer.open, 0);
  await answerer.answer(Buffer.from(query), client);
  assert.equal(asked, 2);
});

test("what servers said that are gone is not kept, and nobody new waits for it", async () => {
  const waiting: PromiseWithResolvers<Forwarded>[] = [];
  const cache = new AnswerCache({ entries: 10, staleMs: 0 });
  const answerer = new Answerer(
    { style: { ttl: 30, random: undefined }, serverId: "this one", clientQueries: 10 },
    {
      table: new Watch(undefined),
      config: () => parseResolvConf("nameserver 192.0.2.1\n", 53),
      forwarder: {
        forward: () => {
          const answer = Promise.withResolvers<Forwarded>();
          waiting.push(answer);
          return answer.promise;
        },
        hasSent: () => false,
      },
      cache,
      isGated: () => false,
      answered: () => undefined,
    },
  );
  const ask = (): Promise<Buffer | undefined> => Promise.resolve(answerer.answer(Buffer.from(query), client));
  const settle = (which: number): void => {
    waiting[which]?.resolve({ isGood: true, message: Buffer.from(withAddress), tries: [] });
  };
  const before = ask();
  answerer.changed();
  const after = ask();
  assert.equal(waiting.length, 2, "nobody joins those who ask the servers from before");
  settle(0);
  await before;
  assert.equal(cache.size, 0);
  const joined = ask();
  assert.equal(waiting.length, 2, "equal questions to the servers of now are one");
  settle(1);
  await Promise.all([after, joined]);
  assert.equal(cache.size, 1);
});
