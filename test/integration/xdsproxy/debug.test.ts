import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GrpcError } from "../../../src/grpc/grpc-error.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { TestDiscoveryServer } from "../../support/discovery-server.ts";
import { eventually } from "../../support/eventually.ts";
import { xdsFixture } from "../../support/xds-fixture.ts";
import { delta, sotw } from "../../support/xds-messages.ts";

const debug = "istio.io/debug";
const status = "istio.io/debug/syncz";

for (const encoding of [sotw, delta]) {
  describe(`istiod's debug interface with ${encoding.method}`, () => {
    test("passes both ways as it is, beside Envoy's stream and without a word about it", async () => {
      await using discovery = await TestDiscoveryServer.listen();
      await using xds = await xdsFixture({ address: discovery.address }, "the-token");
      const envoy = xds.envoy(encoding);
      envoy.stream.enqueue(encoding.request({ typeUrl: typeUrl.cluster }));
      const served = await discovery.stream(0);
      served.stream.enqueue(encoding.response({ typeUrl: typeUrl.cluster, nonce: "1" }));
      await envoy.inbox.next();
      const lines = xds.lines.length;

      const { stream, inbox } = xds.envoy(encoding);
      // istiod answers with the page under its own type, and a proxy's status as a message of Envoy's.
      for (const [index, type] of [debug, status].entries()) {
        const request = encoding.request({ typeUrl: type, names: index === 0 ? ["syncz"] : [] });
        stream.enqueue(request);
        const upstream = await discovery.stream(1);
        assert.equal(upstream.context.metadata("authorization"), "Bearer the-token");
        assert.deepEqual(await upstream.inbox.next(), request);
        const page = { name: "syncz", bytes: Buffer.from('[{"proxy":"web-1.demo"}]') };
        const response = encoding.response({ typeUrl: type, nonce: String(index), resources: [page] });
        upstream.stream.enqueue(response);
        assert.deepEqual(await inbox.next(), response);
      }
      xds.proxy.reportHealth({ kind: "healthy" });
      await (await discovery.stream(1)).inbox.staysEmpty(100);
      stream.cancel();
      await eventually("its end", () => assert.ok(discovery.streams[1]?.context.signal.aborted), {
        withinMs: 5_000,
      });
      assert.equal(xds.proxy.state.current.kind, "connected");
      assert.equal(xds.lines.length, lines);
      const again = encoding.response({ typeUrl: typeUrl.cluster, nonce: "2" });
      served.stream.enqueue(again);
      assert.deepEqual(await envoy.inbox.next(), again);
    });

    test("is refused in istiod's own words, which say nothing about Envoy's connection", async () => {
      await using discovery = await TestDiscoveryServer.listen();
      await using xds = await xdsFixture({ address: discovery.address });
      const { stream, inbox } = xds.envoy(encoding);
      stream.enqueue(encoding.request({ typeUrl: debug, names: ["syncz"] }));
      const message = "the debug info is not available for current identity";
      (await discovery.stream(0)).end(new GrpcError("PERMISSION_DENIED", message));
      await assert.rejects(inbox.next(), { code: "PERMISSION_DENIED", details: new RegExp(message) });
      assert.equal(xds.proxy.state.current.kind, "idle");
      assert.equal(xds.proxy.state.current.problem, undefined);

      const first = xds.envoy(encoding);
      first.stream.enqueue(encoding.request({ typeUrl: status }));
      (await discovery.stream(1)).end();
      await assert.rejects(first.inbox.next(), /the stream has ended/);
    });
  });
}

test("whoever asks for debug pages hears that there is no control plane", async () => {
  await using xds = await xdsFixture({ address: "127.0.0.1:1" });
  const { stream, inbox } = xds.envoy(delta);
  stream.enqueue(delta.request({ typeUrl: debug, names: ["syncz"] }));
  await assert.rejects(inbox.next(), { code: "UNAVAILABLE", details: /ECONNREFUSED/ });
});
