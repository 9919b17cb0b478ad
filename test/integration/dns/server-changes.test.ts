/** Queries that are open while the upstream servers change, or end. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Forwarder } from "../../../src/dns/upstream/forwarder.ts";
import { parseResolvConf, type ResolverConfig } from "../../../src/dns/upstream/resolv-conf.ts";
import { queryBytes } from "../../support/dns-client.ts";
import { answerTo, type DnsUpstream, startDnsUpstream } from "../../support/dns-upstream.ts";
import { eventually } from "../../support/eventually.ts";

const message = queryBytes("www.example.com");
const question = { message, questionEnd: message.length, hasEdns: false, overTcp: false };

interface Scene {
  readonly upstreams: readonly DnsUpstream[];
  readonly forwarder: Forwarder;
  readonly use: (...upstreams: readonly (DnsUpstream | undefined)[]) => void;
}

/** Three servers, of which the forwarder knows the first two. */
async function withServers(forwardTimeoutMs: number, run: (scene: Scene) => Promise<void>): Promise<void> {
  await using first = await startDnsUpstream("127.0.0.2");
  await using second = await startDnsUpstream("127.0.0.3", first.port);
  await using third = await startDnsUpstream("127.0.0.4", first.port);
  const configOf = (upstreams: readonly (DnsUpstream | undefined)[]): ResolverConfig =>
    parseResolvConf(upstreams.map((one) => `nameserver ${one?.host ?? ""}\n`).join(""), first.port);
  let config = configOf([first, second]);
  using forwarder = new Forwarder(
    { isParallel: false, forwardTimeoutMs },
    {
      config: () => config,
      isOwn: () => false,
      asked: () => undefined,
      rejected: () => undefined,
    },
  );
  await run({
    upstreams: [first, second, third],
    forwarder,
    use: (...upstreams) => {
      config = configOf(upstreams);
      forwarder.changed();
    },
  });
}

const asked = ({ upstreams }: Pick<Scene, "upstreams">): number[] =>
  upstreams.map(({ queries }) => queries.length);

describe("an open query", () => {
  test("is answered by the servers that came, and those that are gone are not asked", () =>
    withServers(60_000, async (scene) => {
      const [first, , third] = scene.upstreams;
      assert.ok(first);
      first.respond = () => undefined;
      const forwarded = scene.forwarder.forward(question);
      await eventually("the query", () => assert.deepEqual(asked(scene), [1, 0, 0]), { withinMs: 20_000 });
      scene.use(third);
      assert.equal((await forwarded).isGood, true);
      assert.deepEqual(asked(scene), [1, 0, 1]);
    }));

  test("ends with the proxy, and nobody is asked any more", () =>
    withServers(60_000, async (scene) => {
      const [first] = scene.upstreams;
      assert.ok(first);
      first.respond = () => undefined;
      const forwarded = scene.forwarder.forward(question);
      await eventually("the query", () => assert.deepEqual(asked(scene), [1, 0, 0]), { withinMs: 20_000 });
      scene.forwarder[Symbol.dispose]();
      const { message: answer, tries } = await forwarded;
      assert.equal(answer, undefined);
      assert.deepEqual((await scene.forwarder.forward(question)).tries, []);
      assert.deepEqual(
        tries.map(({ outcome }) => outcome),
        ["the DNS proxy closes"],
      );
      assert.deepEqual(asked(scene), [1, 0, 0]);
    }));
});

describe("a server", () => {
  test("that said that it cannot answer is not asked again for the same query", () =>
    withServers(20_000, async (scene) => {
      for (const one of scene.upstreams) one.respond = (query) => answerTo(query, [], { rcode: 2 });
      assert.equal((await scene.forwarder.forward(question)).isGood, false);
      assert.deepEqual(asked(scene), [1, 1, 0]);
    }));

  test("that was late is asked last, although the query was answered", () =>
    withServers(4_000, async (scene) => {
      const [first] = scene.upstreams;
      assert.ok(first);
      first.respond = () => undefined;
      for (let each = 0; each < 2; each += 1)
        assert.equal((await scene.forwarder.forward(question)).isGood, true);
      assert.deepEqual(asked(scene), [1, 2, 0]);
    }));
});
