import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { trustBundleHandler } from "../../../src/agent/resource-handlers.ts";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { TestDiscoveryServer } from "../../support/discovery-server.ts";
import { freePorts } from "../../support/free-ports.ts";
import { grpcFrame, listenForHttp2 } from "../../support/http2-server.ts";
import { mutate, seeded } from "../../support/mutate.ts";
import { patience } from "../../support/patience.ts";
import { nameTableType } from "../../support/resource-handlers.ts";
import { type XdsFixture, xdsFixture } from "../../support/xds-fixture.ts";
import { delta, type Encoding, sotw } from "../../support/xds-messages.ts";

const rounds = 150;
const handlers = { [typeUrl.proxyConfig]: trustBundleHandler(new Watch<readonly string[]>([])) };

/** A stream gets what the control plane sends: the proxy is whole. */
async function expectWhole(
  xds: XdsFixture,
  discovery: TestDiscoveryServer,
  encoding: Encoding,
): Promise<void> {
  const index = discovery.streams.length;
  const { stream, inbox } = xds.envoy(encoding);
  stream.enqueue(encoding.request({ typeUrl: typeUrl.cluster }));
  const upstream = await discovery.stream(index);
  const response = encoding.response({ typeUrl: typeUrl.cluster, nonce: "whole" });
  upstream.stream.enqueue(response);
  assert.deepEqual(await inbox.next(), response);
  stream.cancel();
}

for (const encoding of [sotw, delta]) {
  describe(`damaged messages with ${encoding.method}`, () => {
    test("of the control plane pass, or end their stream, and nothing else", async () => {
      const random = seeded(1);
      await using discovery = await TestDiscoveryServer.listen();
      await using xds = await xdsFixture({ address: discovery.address }, undefined, {}, handlers);
      const messages = [typeUrl.cluster, typeUrl.listener, nameTableType, typeUrl.proxyConfig].map((type) =>
        encoding.response({ typeUrl: type, nonce: "1", bytes: Buffer.from("a name and more") }),
      );
      for (let round = 0; round < rounds; round += 1) {
        const index = discovery.streams.length;
        const { stream, inbox } = xds.envoy(encoding);
        stream.enqueue(encoding.request({ typeUrl: typeUrl.listener }));
        const upstream = await discovery.stream(index);
        const message = messages[round % messages.length] ?? Buffer.alloc(0);
        upstream.stream.enqueue(mutate(message, random));
        const last = encoding.response({ typeUrl: typeUrl.route, nonce: "last" });
        upstream.stream.enqueue(last);
        for (;;) {
          const next = await inbox.next().catch((error: unknown) => error);
          if (next instanceof Error) assert.doesNotMatch(next.message, /no message within/);
          if (next instanceof Error || last.equals(next as Buffer)) break;
        }
        stream.cancel();
      }
      await expectWhole(xds, discovery, encoding);
    });

    test("of Envoy pass, or end their stream, and nothing else", async () => {
      const random = seeded(2);
      await using discovery = await TestDiscoveryServer.listen();
      await using xds = await xdsFixture({ address: discovery.address }, undefined, {}, handlers);
      for (let round = 0; round < rounds; round += 1) {
        const { stream } = xds.envoy(encoding);
        stream.enqueue(
          mutate(encoding.request({ typeUrl: typeUrl.listener, nonce: "1", error: "no" }), random),
        );
        await sleep(1);
        stream.cancel();
      }
      await expectWhole(xds, discovery, encoding);
    });
  });
}

test("frames that are no gRPC, and streams cut in mid-message, end the stream and nothing else", async () => {
  const random = seeded(3);
  await using server = await listenForHttp2((stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" });
    const frame = grpcFrame(delta.response({ typeUrl: typeUrl.cluster, nonce: "1" }));
    stream.write(mutate(frame, random));
    setTimeout(() => {
      if (random() < 0.5) stream.close(8);
      else stream.session?.destroy();
    }, 2);
  });
  await using xds = await xdsFixture({ address: server.address });
  // Each failure costs a pause.
  for (let round = 0; round < rounds / 4; round += 1) {
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    for (;;) {
      // The agent tries less often the more often it fails.
      const next = await inbox.next(patience(10_000)).catch((error: unknown) => error);
      if (!(next instanceof Error)) continue;
      assert.doesNotMatch(next.message, /no message within/);
      break;
    }
  }
});

test("noise on Envoy's socket harms no stream beside it", async () => {
  const random = seeded(4);
  await using discovery = await TestDiscoveryServer.listen();
  await using xds = await xdsFixture({ address: discovery.address });
  for (let round = 0; round < rounds; round += 1) {
    const socket = connect(xds.path);
    socket.on("error", () => undefined);
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(mutate(Buffer.alloc(64, round), random));
    await sleep(1);
    socket.destroy();
  }
  await expectWhole(xds, discovery, delta);
});

test("a control plane that comes and goes in mid-push leaves nothing behind", async () => {
  const [port = 0] = await freePorts(1);
  await using xds = await xdsFixture({ address: `127.0.0.1:${port}` }, undefined, {
    cache: {
      folder: join("/nonexistent", "cache"),
      owner: "web",
      maxTypeBytes: 1_000,
      writeAfterMs: 10,
      useAfterMs: 0,
    },
  });
  for (let round = 0; round < 20; round += 1) {
    await using discovery = await TestDiscoveryServer.listen({ port });
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    const upstream = await discovery.stream(0);
    for (let push = 0; push < 5; push += 1)
      upstream.stream.enqueue(delta.response({ typeUrl: typeUrl.cluster, nonce: `${push}` }));
    await inbox.next();
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster, nonce: "0" }));
  }
  await using discovery = await TestDiscoveryServer.listen({ port });
  await expectWhole(xds, discovery, delta);
  assert.equal(xds.proxy.state.current.kind, "connected");
  assert.ok(xds.lines.length < 100, `${xds.lines.length} lines for 20 reconnects`);
});
