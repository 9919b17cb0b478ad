/**
 * The way of a forwarded query on real sockets: an upstream sends a made message before its right answer, and the client must
 * get an answer to its own question, of that server.
 */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { queryBytes } from "../../support/dns-client.ts";
import { type UpstreamQuery, usualAnswer } from "../../support/dns-upstream.ts";
import { runningDns } from "../../support/running-dns.ts";
import type { FuzzTarget, OpenTarget } from "../target.ts";

/** How much of a right answer a made message is given: its ID, that it is an answer, the question. */
const disguises = ["nothing", "its ID", "all but the question", "all"] as const;

type Disguise = (typeof disguises)[number];

function disguised(input: Buffer, { bytes }: UpstreamQuery, disguise: Disguise): Buffer {
  const message = Buffer.alloc(Math.max(input.length, disguise === "all" ? bytes.length : 0));
  input.copy(message);
  if (disguise === "nothing" || message.length < 12) return message;
  bytes.copy(message, 0, 0, 2);
  if (disguise === "its ID") return message;
  message[2] = 0x80 | ((message[2] ?? 0) & 0x07);
  if (disguise === "all") {
    message.writeUInt16BE(1, 4);
    bytes.copy(message, 12, 12);
  }
  return message;
}

async function open(): Promise<OpenTarget> {
  const dns = await runningDns({
    table: {},
    options: { forwardTimeoutMs: 120_000, cacheEntries: 50, serveStaleMs: 1_000 },
  });
  const made = new Map<string, { readonly input: Buffer; readonly disguise: Disguise }>();
  dns.upstream.respond = (query) => {
    const one = made.get(query.name.toLowerCase());
    if (one !== undefined) query.send(disguised(one.input, query, one.disguise));
    dns.upstream.queries.length = 0;
    return usualAnswer(query);
  };
  const client = createSocket("udp4");
  const waiting = new Map<number, (answer: Buffer) => void>();
  client.on("message", (answer) => {
    waiting.get(answer.readUInt16BE(0))?.(answer);
  });
  client.connect(dns.target.port, dns.target.host);
  await once(client, "connect");
  let number = 0;
  const ask = async (name: string): Promise<Buffer> => {
    const id = number & 0xffff;
    const query = queryBytes(name, "A", { id });
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    waiting.set(id, resolve);
    client.send(query);
    const answer = await promise;
    waiting.delete(id);
    assert.ok(((answer[2] ?? 0) & 0x80) !== 0 && answer.length <= 512, "it is no answer of 512 bytes");
    assert.ok(answer.subarray(12, query.length).equals(query.subarray(12)), "another question");
    return answer;
  };
  const isRight = (answer: Buffer): boolean => answer.subarray(-4).equals(Buffer.from([203, 0, 113, 7]));
  return {
    feed: async (input) => {
      number += 1;
      const disguise = disguises[number % disguises.length] ?? "nothing";
      const name = `w${number}.example.com`;
      made.set(name, { input, disguise });
      const answer = await ask(name);
      made.delete(name);
      if (disguise !== "all") assert.ok(isRight(answer), `an answer that is another's, with ${disguise}`);
    },
    whole: async () => {
      number += 1;
      assert.ok(isRight(await ask(`whole${number}.example.com`)));
      const metrics = await dns.metrics.render();
      assert.match(metrics, /^outrider_dns_open_queries 0$/m);
      assert.ok(Number(/^outrider_dns_cached_answers (\d+)$/m.exec(metrics)?.[1]) <= 50);
    },
    [Symbol.asyncDispose]: async () => {
      client.close();
      await dns[Symbol.asyncDispose]();
    },
  };
}

export const dnsForwardingTarget: FuzzTarget = {
  name: "dns-forwarding",
  corpus: "dns-answer",
  words: ["\u00c0\u000c", "\u0000\u0001\u0000\u0001", "\u0000\u0006", "\u0000\u0029", "\u00ff\u00ff"],
  concurrency: 8,
  maxBytes: 1_400,
  open,
};
