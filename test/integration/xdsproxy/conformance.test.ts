import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { trustBundleHandler } from "../../../src/agent/resource-handlers.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { TestDiscoveryServer } from "../../support/discovery-server.ts";
import { eventually } from "../../support/eventually.ts";
import { grpcFrame, listenForHttp2 } from "../../support/http2-server.ts";
import { nameTableType, recordingHandler } from "../../support/resource-handlers.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { TestPki, validity } from "../../support/test-pki.ts";
import { xdsFixture } from "../../support/xds-fixture.ts";
import { delta, sotw } from "../../support/xds-messages.ts";

const mebibyte = 1_048_576;
const limits = { answerWithinMs: 60_000, rootCheckMs: 5_000, slowAfterMs: 10_000 };

for (const encoding of [sotw, delta]) {
  describe(`a message with ${encoding.method}`, () => {
    test("may have 64 MiB in a response and 16 MiB in a request, and arrives byte for byte", async () => {
      await using discovery = await TestDiscoveryServer.listen();
      await using xds = await xdsFixture({ address: discovery.address });
      const { stream, inbox } = xds.envoy(encoding);
      const padding = randomBytes(16 * mebibyte);
      const request = Buffer.concat([
        encoding.request({ typeUrl: typeUrl.cluster }),
        // An unknown field.
        Buffer.from("f23f80808008", "hex"),
        padding,
      ]);
      stream.enqueue(request);
      const upstream = await discovery.stream(0);
      assert.ok((await upstream.inbox.next(30_000)).equals(request));
      const bytes = randomBytes(64 * mebibyte);
      const response = encoding.response({ typeUrl: typeUrl.cluster, nonce: "1", bytes });
      upstream.stream.enqueue(response);
      assert.ok((await inbox.next(60_000)).equals(response));
    });

    test("may have 10,000 resources, each as it came", async () => {
      await using discovery = await TestDiscoveryServer.listen();
      await using xds = await xdsFixture({ address: discovery.address });
      const { stream, inbox } = xds.envoy(encoding);
      stream.enqueue(encoding.request({ typeUrl: typeUrl.endpoint }));
      const upstream = await discovery.stream(0);
      const resources = Array.from({ length: 10_000 }, (_, index) => ({
        name: `outbound|80||service-${index}`,
        bytes: randomBytes(200),
      }));
      const response = encoding.response({ typeUrl: typeUrl.endpoint, nonce: "1", resources });
      upstream.stream.enqueue(response);
      assert.ok((await inbox.next(20_000)).equals(response));
      const [exchange] = xds.proxy.exchanges();
      assert.equal(exchange?.resources, 10_000);
      assert.deepEqual(
        exchange?.names.slice(0, 2),
        resources.slice(0, 2).map(({ name }) => name),
      );
    });

    test("goes to Envoy by its type: Envoy's own and workloads, no other", async () => {
      await using discovery = await TestDiscoveryServer.listen();
      await using xds = await xdsFixture({ address: discovery.address });
      const { stream, inbox } = xds.envoy(encoding);
      stream.enqueue(encoding.request({ typeUrl: typeUrl.cluster }));
      const upstream = await discovery.stream(0);
      const types = {
        "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration": true,
        "type.googleapis.com/envoy.something.that.comes.later.v9.Thing": true,
        "type.googleapis.com/istio.workload.Workload": true,
        "type.googleapis.com/istio.workload.Address": false,
        "istio.io/debug": false,
        "istio.io/connections": false,
        "": false,
      };
      for (const type of Object.keys(types))
        upstream.stream.enqueue(encoding.response({ typeUrl: type, nonce: type }));
      const last = encoding.response({ typeUrl: typeUrl.cluster, nonce: "last" });
      upstream.stream.enqueue(last);
      for (const [type, passes] of Object.entries(types)) {
        if (passes)
          assert.deepEqual(await inbox.next(), encoding.response({ typeUrl: type, nonce: type }), type);
      }
      assert.deepEqual(await inbox.next(), last);
    });

    test("of Envoy goes to the control plane whatever its type", async () => {
      await using discovery = await TestDiscoveryServer.listen();
      await using xds = await xdsFixture({ address: discovery.address });
      const { stream } = xds.envoy(encoding);
      const requests = [typeUrl.secret, "istio.io/debug", "type.googleapis.com/unknown"].map((type) =>
        encoding.request({ typeUrl: type }),
      );
      for (const request of requests) stream.enqueue(request);
      const upstream = await discovery.stream(0);
      for (const request of requests) assert.deepEqual(await upstream.inbox.next(), request);
    });
  });

  describe(`the agent's own subscriptions with ${encoding.method}`, () => {
    test("follow Envoy's first request for listeners, once on each stream, and Envoy sees nothing of them", async () => {
      await using discovery = await TestDiscoveryServer.listen();
      const { handler, taken } = recordingHandler();
      const handlers = { [nameTableType]: handler, [typeUrl.proxyConfig]: recordingHandler().handler };
      await using xds = await xdsFixture({ address: discovery.address }, undefined, {}, handlers);
      for (const index of [0, 1]) {
        const { stream, inbox } = xds.envoy(encoding);
        stream.enqueue(encoding.request({ typeUrl: typeUrl.cluster }));
        const upstream = await discovery.stream(index);
        await upstream.inbox.next();
        await upstream.inbox.staysEmpty(100);
        stream.enqueue(encoding.request({ typeUrl: typeUrl.listener }));
        stream.enqueue(encoding.request({ typeUrl: typeUrl.listener }));
        const types: string[] = [];
        for (let request = 0; request < 4; request += 1)
          types.push(encoding.readRequest(await upstream.inbox.next()).typeUrl);
        assert.deepEqual(types, [typeUrl.listener, nameTableType, typeUrl.proxyConfig, typeUrl.listener]);

        upstream.stream.enqueue(encoding.raw(nameTableType, "1", Buffer.from("a table")));
        assert.deepEqual(await upstream.inbox.next(), encoding.acknowledgement(nameTableType, "1"));
        // An empty answer empties what is there, and is acknowledged too.
        upstream.stream.enqueue(encoding.response({ typeUrl: nameTableType, nonce: "2", resources: [] }));
        assert.deepEqual(await upstream.inbox.next(), encoding.acknowledgement(nameTableType, "2"));
        assert.deepEqual(taken.splice(0), ["a table", undefined]);
        await inbox.staysEmpty(100);
      }
    });

    test("take the mesh's roots, and refuse what is no message without touching Envoy", async () => {
      await using discovery = await TestDiscoveryServer.listen();
      const bundles = new Watch<readonly string[]>([]);
      const handlers = { [typeUrl.proxyConfig]: trustBundleHandler(bundles) };
      await using xds = await xdsFixture({ address: discovery.address }, undefined, {}, handlers);
      const { stream, inbox } = xds.envoy(encoding);
      stream.enqueue(encoding.request({ typeUrl: typeUrl.listener }));
      const upstream = await discovery.stream(0);
      for (let request = 0; request < 2; request += 1) await upstream.inbox.next();
      const { rootPem } = await TestPki.create();
      upstream.stream.enqueue(encoding.raw(typeUrl.proxyConfig, "1", field(34, Buffer.from(rootPem))));
      assert.deepEqual(await upstream.inbox.next(), encoding.acknowledgement(typeUrl.proxyConfig, "1"));
      assert.deepEqual(bundles.current, [rootPem]);

      upstream.stream.enqueue(encoding.raw(typeUrl.proxyConfig, "2", Buffer.from("0aff", "hex")));
      const { errorDetail } = encoding.readRequest(await upstream.inbox.next());
      assert.notEqual(errorDetail, undefined);
      assert.deepEqual(bundles.current, [rootPem]);
      const clusters = encoding.response({ typeUrl: typeUrl.cluster, nonce: "3" });
      upstream.stream.enqueue(clusters);
      assert.deepEqual(await inbox.next(), clusters);
    });
  });
}

describe("the connection to the control plane", () => {
  test("has the token of the moment on each stream", async () => {
    await using discovery = await TestDiscoveryServer.listen();
    const tokens = ["first", "second"];
    await using xds = await xdsFixture({ address: discovery.address }, () => tokens.shift() ?? "");
    for (const [index, token] of ["first", "second"].entries()) {
      xds.envoy(delta).stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
      const { context } = await discovery.stream(index);
      assert.equal(context.metadata("authorization"), `Bearer ${token}`);
    }
  });

  test("tries every address of a name", async () => {
    // localhost is ::1 and 127.0.0.1, and only the second has a server.
    await using discovery = await TestDiscoveryServer.listen();
    await using xds = await xdsFixture({ address: `localhost:${discovery.port}` });
    const { stream } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    await (await discovery.stream(0)).inbox.next();
  });

  test("is made anew when the root is replaced by another one, and only then", async () => {
    using folder = temporaryFolder();
    const pki = await TestPki.create();
    const { certificatePem, privateKeyPem } = await pki.serverKeyPair(
      ["localhost"],
      validity(-60_000, 3_600_000),
    );
    await using discovery = await TestDiscoveryServer.listen({
      tls: { certificateChain: certificatePem, privateKey: privateKeyPem },
    });
    const rootCertificatePath = join(folder.path, "root-cert.pem");
    writeFileSync(rootCertificatePath, pki.rootPem);
    await using xds = await xdsFixture(
      { address: `localhost:${discovery.port}`, tls: { rootCertificatePath, serverName: undefined } },
      undefined,
      { limits: { ...limits, rootCheckMs: 20 } },
    );
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    const upstream = await discovery.stream(0);
    const response = delta.response({ typeUrl: typeUrl.cluster, nonce: "1" });
    upstream.stream.enqueue(response);
    await inbox.next();
    writeFileSync(rootCertificatePath, "half a file");
    await inbox.staysEmpty(200);
    writeFileSync(rootCertificatePath, pki.rootPem);
    await inbox.staysEmpty(200);

    writeFileSync(rootCertificatePath, `${(await TestPki.create()).rootPem}\n${pki.rootPem}`);
    await assert.rejects(inbox.next(), { code: "UNAVAILABLE", details: /root .* has changed/ });
    const again = xds.envoy(delta);
    again.stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    (await discovery.stream(1)).stream.enqueue(response);
    assert.deepEqual(await again.inbox.next(), response);
    assert.match(await xds.metrics.render(), /xds_stream_ends_total\{cause="root-changed"\} 1\n/);
  });

  test("that is open but dead is found, when nothing answers a request", async () => {
    await using discovery = await TestDiscoveryServer.listen();
    await using xds = await xdsFixture({ address: discovery.address }, undefined, {
      limits: { ...limits, answerWithinMs: 400 },
    });
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    const upstream = await discovery.stream(0);
    upstream.stream.enqueue(delta.response({ typeUrl: typeUrl.cluster, nonce: "1" }));
    await inbox.next();
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster, nonce: "1" }));
    // An acknowledgement wants no answer.
    await inbox.staysEmpty(1_000);
    stream.enqueue(delta.request({ typeUrl: typeUrl.endpoint, names: ["a"] }));
    await assert.rejects(inbox.next(), { code: "UNAVAILABLE", details: /gave no answer within/ });
    await eventually("the end of the dead stream", () => assert.ok(upstream.context.signal.aborted), {
      withinMs: 5_000,
    });
    assert.match(await xds.metrics.render(), /xds_stream_ends_total\{cause="watchdog"\} 1\n/);
    const [line = ""] = xds.lines.filter((text) => text.includes("does not answer"));
    assert.match(line, /^warn\t.*ClusterLoadAssignment/);

    // A control plane that lives but never answers this type is not dialled for ever.
    const next = xds.envoy(delta);
    next.stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    (await discovery.stream(1)).stream.enqueue(delta.response({ typeUrl: typeUrl.cluster, nonce: "1" }));
    await next.inbox.next();
    next.stream.enqueue(delta.request({ typeUrl: typeUrl.endpoint, names: ["a"] }));
    await next.inbox.staysEmpty(1_200);
  });

  test("is not taken for dead while listeners are held back or Envoy does not read", async () => {
    await using discovery = await TestDiscoveryServer.listen();
    await using xds = await xdsFixture({ address: discovery.address }, undefined, {
      limits: { ...limits, answerWithinMs: 300 },
    });
    using hold = xds.proxy.holdListeners();
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.listener }));
    const upstream = await discovery.stream(0);
    const listeners = delta.response({ typeUrl: typeUrl.listener, nonce: "1" });
    upstream.stream.enqueue(listeners);
    stream.enqueue(delta.request({ typeUrl: typeUrl.route, names: ["80"] }));
    const routes = delta.response({ typeUrl: typeUrl.route, nonce: "2" });
    upstream.stream.enqueue(routes);
    await inbox.staysEmpty(1_000);
    hold.release();
    assert.deepEqual(await inbox.next(), listeners);
    assert.deepEqual(await inbox.next(), routes);
    await inbox.staysEmpty(1_000);
  });

  test("ends in good order on GOAWAY, and Envoy is told to come again", async () => {
    await using server = await listenForHttp2((stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      stream.write(grpcFrame(delta.response({ typeUrl: typeUrl.cluster, nonce: "1" })));
      stream.session?.goaway();
      setTimeout(() => stream.session?.destroy(), 100);
    });
    await using xds = await xdsFixture({ address: server.address });
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    await inbox.next();
    await assert.rejects(inbox.next());
    await xds.becomes("disconnected");
  });

  test("is half-closed when Envoy half-closes, and its last responses still arrive", async () => {
    await using discovery = await TestDiscoveryServer.listen();
    await using xds = await xdsFixture({ address: discovery.address });
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    const upstream = await discovery.stream(0);
    await upstream.inbox.next();
    stream.end();
    await assert.rejects(upstream.inbox.next(), /the stream has ended/);
    const response = delta.response({ typeUrl: typeUrl.cluster, nonce: "1" });
    upstream.stream.enqueue(response);
    assert.deepEqual(await inbox.next(), response);
    upstream.end();
    await assert.rejects(inbox.next(), /the stream has ended/);
  });
});

describe("the control plane's order", () => {
  test("is kept over types, the agent's own between them", async () => {
    await using discovery = await TestDiscoveryServer.listen();
    const handlers = { [nameTableType]: recordingHandler().handler };
    await using xds = await xdsFixture({ address: discovery.address }, undefined, {}, handlers);
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.listener }));
    const upstream = await discovery.stream(0);
    const order = [typeUrl.cluster, typeUrl.endpoint, nameTableType, typeUrl.listener, typeUrl.route];
    for (let round = 0; round < 50; round += 1)
      for (const type of order)
        upstream.stream.enqueue(delta.response({ typeUrl: type, nonce: `${round}`, resources: [] }));
    for (let round = 0; round < 50; round += 1) {
      for (const type of order) {
        if (type === nameTableType) continue;
        const { typeUrl: next, nonce } = delta.read(await inbox.next());
        assert.deepEqual([next, nonce], [type, `${round}`]);
      }
    }
  });
});

/** A field with a length below 128 bytes. */
function field(number: number, value: Buffer): Buffer {
  const varint = (count: number): readonly number[] =>
    count < 128 ? [count] : [(count & 127) | 128, ...varint(count >>> 7)];
  return Buffer.concat([Buffer.from([...varint((number << 3) | 2), ...varint(value.length)]), value]);
}
