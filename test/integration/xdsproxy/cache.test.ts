import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import type { ResourceHandlers } from "../../../src/xdsproxy/handlers/resource-handler.ts";
import { TestDiscoveryServer } from "../../support/discovery-server.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { nameTableType } from "../../support/resource-handlers.ts";
import { type XdsFixture, xdsFixture } from "../../support/xds-fixture.ts";
import { delta, type Encoding, sotw, type TestResource } from "../../support/xds-messages.ts";

const a: TestResource = { name: "a", version: "1", bytes: Buffer.from("cluster a") };
const b: TestResource = { name: "b", version: "1", bytes: Buffer.from("cluster b") };
const web: TestResource = { name: "web", version: "1", bytes: Buffer.from("listener web") };

/** Longer than any control plane of a test takes to answer, in milliseconds: an Envoy is not served from the cache. */
const neverMs = 3_600_000;

/** An agent whose cache is in `folder` and whose control plane, if there is one, has `port`. */
async function agent(
  folder: string,
  port: number,
  changes: { useAfterMs?: number; owner?: string } = {},
  handlers: ResourceHandlers = {},
): Promise<XdsFixture> {
  const cache = {
    ...{ folder: join(folder, "cache"), owner: "web" },
    ...{ maxTypeBytes: 1_000_000, writeAfterMs: 10, useAfterMs: 0, ...changes },
  };
  return await xdsFixture({ address: `127.0.0.1:${port}` }, undefined, { cache }, handlers);
}

type Responses = readonly {
  readonly typeUrl: string;
  readonly resources: readonly TestResource[];
  error?: string;
}[];

const everything: Responses = [
  { typeUrl: typeUrl.cluster, resources: [a, b] },
  { typeUrl: typeUrl.listener, resources: [web] },
];

/** One life of an agent with a control plane: Envoy gets and answers these, then all ends. */
async function life(
  folder: string,
  port: number,
  encoding: Encoding,
  responses: Responses,
  known: Readonly<Record<string, string>> = {},
): Promise<void> {
  await using discovery = await TestDiscoveryServer.listen({ port });
  await using xds = await agent(folder, port, { useAfterMs: neverMs });
  await serve(xds, discovery, encoding, responses, known);
}

/** An Envoy gets and answers these. */
async function serve(
  xds: XdsFixture,
  discovery: TestDiscoveryServer,
  encoding: Encoding,
  responses: Responses,
  known: Readonly<Record<string, string>> = {},
): Promise<ReturnType<XdsFixture["envoy"]>> {
  const envoy = xds.envoy(encoding);
  const { stream, inbox } = envoy;
  for (const [index, { typeUrl: type, resources, error }] of responses.entries()) {
    stream.enqueue(encoding.request({ typeUrl: type, known }));
    const nonce = String(index);
    const upstream = await discovery.stream(0);
    upstream.stream.enqueue(encoding.response({ typeUrl: type, nonce, resources }));
    await inbox.next();
    stream.enqueue(encoding.request({ typeUrl: type, nonce, ...(error === undefined ? {} : { error }) }));
    for (let request = 0; request < 2; request += 1) await upstream.inbox.next();
  }
  return envoy;
}

for (const encoding of [sotw, delta]) {
  describe(`the cache with ${encoding.method}`, () => {
    test("serves an Envoy without configuration what the last one acknowledged", async () => {
      using folder = temporaryFolder();
      const [port = 0] = await freePorts(1);
      await life(folder.path, port, encoding, everything);

      await using xds = await agent(folder.path, port);
      const { stream, inbox } = xds.envoy(encoding);
      stream.enqueue(encoding.request({ typeUrl: typeUrl.cluster }));
      const clusters = encoding.read(await inbox.next());
      assert.deepEqual(clusters.resources, { a: "cluster a", b: "cluster b" });
      stream.enqueue(encoding.request({ typeUrl: typeUrl.cluster, nonce: clusters.nonce }));
      stream.enqueue(encoding.request({ typeUrl: typeUrl.endpoint, names: ["a", "b"] }));
      const endpoints = encoding.read(await inbox.next());
      assert.equal(endpoints.typeUrl, typeUrl.endpoint);
      assert.deepEqual(endpoints.resources, {});
      if (encoding === delta) assert.deepEqual(endpoints.removed, ["a", "b"]);
      stream.enqueue(encoding.request({ typeUrl: typeUrl.listener }));
      assert.deepEqual(encoding.read(await inbox.next()).resources, { web: "listener web" });

      const { kind, asOf, problem } = xds.proxy.state.current;
      assert.equal(kind, "stale");
      assert.ok(Math.abs(Date.now() - (asOf?.getTime() ?? 0)) < 60_000);
      assert.match(problem ?? "", /ECONNREFUSED/);
      assert.match(await xds.metrics.render(), /istio_agent_xds_stale_age_seconds [\d.]+\n/);
      assert.equal(xds.lines.filter((line) => line.includes("served from the cache")).length, 1);
    });

    test("gives way to the control plane: Envoy subscribes anew, and is not served twice", async () => {
      using folder = temporaryFolder();
      const [port = 0] = await freePorts(1);
      await life(folder.path, port, encoding, everything);
      await using xds = await agent(folder.path, port);
      const stale = xds.envoy(encoding);
      for (const type of [typeUrl.cluster, typeUrl.listener]) {
        stale.stream.enqueue(encoding.request({ typeUrl: type }));
        await stale.inbox.next();
      }

      await using discovery = await TestDiscoveryServer.listen({ port });
      const probe = await discovery.stream(0);
      assert.deepEqual(await probe.inbox.next(), encoding.request({ typeUrl: typeUrl.cluster }));
      probe.stream.enqueue(encoding.response({ typeUrl: typeUrl.cluster, nonce: "1", resources: [a] }));
      await assert.rejects(stale.inbox.next(), { code: "UNAVAILABLE", details: /is back/ });

      const envoy = xds.envoy(encoding);
      const again = [
        encoding.request({ typeUrl: typeUrl.cluster, known: { a: "1", b: "1" } }),
        encoding.request({ typeUrl: typeUrl.listener, known: { web: "1" } }),
      ];
      for (const request of again) envoy.stream.enqueue(request);
      const upstream = await discovery.stream(1);
      for (const request of again) assert.deepEqual(await upstream.inbox.next(), request);
      upstream.stream.enqueue(encoding.response({ typeUrl: typeUrl.cluster, nonce: "2", resources: [a] }));
      assert.deepEqual(encoding.read(await envoy.inbox.next()).resources, { a: "cluster a" });
      assert.equal(xds.proxy.state.current.kind, "connected");
      assert.doesNotMatch(await xds.metrics.render(), /xds_stale_age_seconds [\d.]/);
    });

    test("gives the agent what it took in itself, and not what it refused", async () => {
      using folder = temporaryFolder();
      const [port = 0] = await freePorts(1);
      const got: string[] = [];
      const text = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString();
      const handlers: ResourceHandlers = {
        [nameTableType]: {
          kind: "consume",
          take: (value) =>
            text(value) === "bad" ? { kind: "refused", reason: "it is bad" } : { kind: "accepted" },
          takeKept: (value, asOf) => {
            got.push(`${text(value)} ${Math.abs(Date.now() - asOf.getTime()) < 60_000}`);
            return { kind: "accepted" };
          },
        },
      };
      {
        await using discovery = await TestDiscoveryServer.listen({ port });
        await using xds = await agent(folder.path, port, { useAfterMs: neverMs }, handlers);
        await serve(xds, discovery, encoding, [{ typeUrl: typeUrl.cluster, resources: [a, b] }]);
        const { stream: envoy, inbox: toEnvoy } = xds.envoy(encoding);
        envoy.enqueue(encoding.request({ typeUrl: typeUrl.listener }));
        const { stream, inbox } = await discovery.stream(1);
        stream.enqueue(encoding.response({ typeUrl: typeUrl.listener, nonce: "l", resources: [web] }));
        await toEnvoy.next();
        envoy.enqueue(encoding.request({ typeUrl: typeUrl.listener, nonce: "l" }));
        for (const [nonce, value] of ["good", "bad"].entries())
          stream.enqueue(encoding.raw(nameTableType, String(nonce), Buffer.from(value)));
        // The subscriptions and acknowledgements of both types, in whatever order.
        for (let request = 0; request < 5; request += 1) await inbox.next();
        assert.deepEqual(got, []);
      }
      await using xds = await agent(folder.path, port, {}, handlers);
      const { stream, inbox } = xds.envoy(encoding);
      stream.enqueue(encoding.request({ typeUrl: typeUrl.cluster }));
      await inbox.next();
      assert.deepEqual(got, ["good true"]);
    });

    test("serves an Envoy whose predecessor has served soon, however long a control plane that is silent may take", async () => {
      using folder = temporaryFolder();
      const [port = 0] = await freePorts(1);
      await using discovery = await TestDiscoveryServer.listen({ port });
      await using xds = await agent(folder.path, port, { useAfterMs: 3_600_000 });
      const dead = await serve(xds, discovery, encoding, everything);
      dead.stream.cancel();

      const { stream, inbox } = xds.envoy(encoding);
      stream.enqueue(encoding.request({ typeUrl: typeUrl.cluster }));
      await discovery.stream(1);
      assert.deepEqual(encoding.read(await inbox.next()).resources, { a: "cluster a", b: "cluster b" });
    });

    test("keeps what was good when Envoy refuses what comes after it", async () => {
      using folder = temporaryFolder();
      const [port = 0] = await freePorts(1);
      await life(folder.path, port, encoding, [
        ...everything,
        {
          typeUrl: typeUrl.cluster,
          resources: [{ name: "a", version: "2", bytes: Buffer.from("nonsense") }],
          error: "no such filter",
        },
      ]);
      await using xds = await agent(folder.path, port);
      const { stream, inbox } = xds.envoy(encoding);
      stream.enqueue(encoding.request({ typeUrl: typeUrl.cluster }));
      assert.deepEqual(encoding.read(await inbox.next()).resources, { a: "cluster a", b: "cluster b" });
    });
  });
}

describe("the cache", () => {
  test("follows what a delta changes and removes, over the lives of several agents", async () => {
    using folder = temporaryFolder();
    const [port = 0] = await freePorts(1);
    await life(folder.path, port, delta, everything);
    {
      await using discovery = await TestDiscoveryServer.listen({ port });
      await using xds = await agent(folder.path, port, { useAfterMs: neverMs });
      const { stream, inbox } = xds.envoy(delta);
      stream.enqueue(delta.request({ typeUrl: typeUrl.cluster, known: { a: "1", b: "1" } }));
      const upstream = await discovery.stream(0);
      const c = { name: "c", version: "1", bytes: Buffer.from("cluster c") };
      upstream.stream.enqueue(
        delta.response({ typeUrl: typeUrl.cluster, nonce: "1", resources: [c], removed: ["b"] }),
      );
      await inbox.next();
      stream.enqueue(delta.request({ typeUrl: typeUrl.cluster, nonce: "1" }));
      for (let request = 0; request < 2; request += 1) await upstream.inbox.next();
    }
    await using xds = await agent(folder.path, port);
    const { stream, inbox } = xds.envoy(delta);
    // It has b and an old a: what is gone is taken away, what is newer is sent.
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster, known: { a: "0", b: "1" } }));
    const { resources, removed } = delta.read(await inbox.next());
    assert.deepEqual(resources, { a: "cluster a", c: "cluster c" });
    assert.deepEqual(removed, ["b"]);
  });

  test("is for the agent's user only, and holds no secrets", async () => {
    using folder = temporaryFolder();
    const [port = 0] = await freePorts(1);
    const key = { name: "default", bytes: Buffer.from("-----BEGIN PRIVATE KEY-----") };
    await life(folder.path, port, delta, [...everything, { typeUrl: typeUrl.secret, resources: [key] }]);
    const cache = join(folder.path, "cache");
    assert.equal(statSync(cache).mode & 0o777, 0o700);
    const files = readdirSync(cache);
    assert.deepEqual(files.toSorted(), [
      "envoy.config.cluster.v3.Cluster.cache",
      "envoy.config.listener.v3.Listener.cache",
    ]);
    for (const file of files) {
      assert.equal(statSync(join(cache, file)).mode & 0o777, 0o600);
      assert.doesNotMatch(readFileSync(join(cache, file), "latin1"), /PRIVATE KEY/);
    }
  });

  test("sets a damaged file aside and says so, and Envoy hears why it gets nothing", async () => {
    using folder = temporaryFolder();
    const [port = 0] = await freePorts(1);
    await life(folder.path, port, delta, everything);
    const path = join(folder.path, "cache/envoy.config.cluster.v3.Cluster.cache");
    const content = readFileSync(path);
    content[content.length - 3] = (content.at(-3) ?? 0) ^ 1;
    writeFileSync(path, content);

    await using xds = await agent(folder.path, port);
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    await assert.rejects(inbox.next(), { code: "UNAVAILABLE", details: /ECONNREFUSED/ });
    assert.ok(
      readdirSync(join(folder.path, "cache")).includes("envoy.config.cluster.v3.Cluster.cache.corrupted"),
    );
    assert.equal(xds.lines.filter((line) => /damaged.*checksum/.test(line)).length, 1);
    assert.match(await xds.metrics.render(), /xds_cache_corrupted_total 1\n/);
  });

  test("of another node or control plane is not served", async () => {
    using folder = temporaryFolder();
    const [port = 0] = await freePorts(1);
    await life(folder.path, port, delta, everything);
    await using xds = await agent(folder.path, port, { owner: "api" });
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    await assert.rejects(inbox.next(), { code: "UNAVAILABLE" });
  });

  test("is not served to an Envoy that has its listeners", async () => {
    using folder = temporaryFolder();
    const [port = 0] = await freePorts(1);
    await life(folder.path, port, delta, everything);
    await using xds = await agent(folder.path, port);
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster, known: { a: "1" } }));
    stream.enqueue(delta.request({ typeUrl: typeUrl.listener, known: { web: "1" } }));
    await assert.rejects(inbox.next(), { code: "UNAVAILABLE", details: /ECONNREFUSED/ });
    assert.equal(xds.proxy.state.current.kind, "disconnected");
  });

  test("waits for a control plane that comes in time", async () => {
    using folder = temporaryFolder();
    const [port = 0] = await freePorts(1);
    await life(folder.path, port, delta, everything);
    await using xds = await agent(folder.path, port, { useAfterMs: neverMs });
    const { stream, inbox } = xds.envoy(delta);
    const request = delta.request({ typeUrl: typeUrl.cluster });
    stream.enqueue(request);
    await eventually("a failed attempt", () => assert.equal(xds.proxy.state.current.kind, "disconnected"), {
      withinMs: 4_000,
      everyMs: 5,
    });
    await using discovery = await TestDiscoveryServer.listen({ port });
    const upstream = await discovery.stream(0);
    assert.deepEqual(await upstream.inbox.next(), request);
    const response = delta.response({ typeUrl: typeUrl.cluster, nonce: "1", resources: [b] });
    upstream.stream.enqueue(response);
    assert.deepEqual(await inbox.next(), response);
  });

  test("takes types and resources of any name, and comes back with them", async () => {
    using folder = temporaryFolder();
    const [port = 0] = await freePorts(1);
    const odd = ["x".repeat(300), "a b\u00e9/..", "%2e%2e", "."].map(
      (name) => `type.googleapis.com/envoy.${name}`,
    );
    const names = ["", "..", "a/b", "n".repeat(5_000), "\u0000\n", "\u{1f600}"];
    const resources = names.map((name) => ({ name, version: "1", bytes: Buffer.from(`of ${name}`) }));
    const types = odd.map((type) => ({ typeUrl: type, resources }));
    await life(folder.path, port, delta, [...types, ...everything]);
    assert.equal(readdirSync(join(folder.path, "cache")).length, odd.length + 2);

    await using xds = await agent(folder.path, port);
    const { stream, inbox } = xds.envoy(delta);
    for (const type of [typeUrl.cluster, ...odd]) {
      stream.enqueue(delta.request({ typeUrl: type, names: type === typeUrl.cluster ? [] : names }));
      const answer = delta.read(await inbox.next());
      assert.equal(answer.typeUrl, type);
      if (type !== typeUrl.cluster)
        assert.deepEqual(answer.resources, Object.fromEntries(names.map((name) => [name, `of ${name}`])));
    }
  });

  test("of one type that cannot be written keeps no other from it", async () => {
    using folder = temporaryFolder();
    const [port = 0] = await freePorts(1);
    mkdirSync(join(folder.path, "cache/envoy.config.cluster.v3.Cluster.cache/full"), { recursive: true });
    await life(folder.path, port, delta, everything);
    assert.ok(statSync(join(folder.path, "cache/envoy.config.listener.v3.Listener.cache")).isFile());
  });

  test("of a type that has grown too large is given up, file and all, and the log says so", async () => {
    using folder = temporaryFolder();
    const [port = 0] = await freePorts(1);
    const huge = { name: "a", bytes: Buffer.alloc(1_000_001) };
    await life(folder.path, port, delta, everything);
    await life(folder.path, port, delta, [{ typeUrl: typeUrl.cluster, resources: [huge] }]);
    assert.deepEqual(readdirSync(join(folder.path, "cache")), ["envoy.config.listener.v3.Listener.cache"]);
  });

  test("keeps a newcomer's listeners back as long as the control plane would have", async () => {
    using folder = temporaryFolder();
    const [port = 0] = await freePorts(1);
    await life(folder.path, port, delta, everything);
    await using xds = await agent(folder.path, port);
    assert.equal(xds.proxy.hasCache(), true);
    using hold = xds.proxy.holdListeners();
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    await inbox.next();
    stream.enqueue(delta.request({ typeUrl: typeUrl.listener }));
    await inbox.staysEmpty();
    hold.release();
    assert.deepEqual(delta.read(await inbox.next()).resources, { web: "listener web" });
  });
});
