import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { trustBundleHandler } from "../../../src/agent/resource-handlers.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { TestDiscoveryServer } from "../../support/discovery-server.ts";
import { eventually } from "../../support/eventually.ts";
import { nameTableType, recordingHandler } from "../../support/resource-handlers.ts";
import { xdsFixture } from "../../support/xds-fixture.ts";
import { delta, sotw } from "../../support/xds-messages.ts";

for (const encoding of [sotw, delta]) {
  describe(`what the agent asks itself with ${encoding.method}`, () => {
    const handlers = {
      [nameTableType]: recordingHandler().handler,
      [typeUrl.proxyConfig]: trustBundleHandler(new Watch<readonly string[]>([])),
    };

    test("comes in Istio's order, and names nothing but its type: the node is Envoy's to tell", async () => {
      await using discovery = await TestDiscoveryServer.listen();
      await using xds = await xdsFixture({ address: discovery.address }, undefined, {}, handlers);
      xds.proxy.reportHealth({ kind: "healthy" });
      const { stream } = xds.envoy(encoding);
      stream.enqueue(encoding.request({ typeUrl: typeUrl.listener }));
      const { inbox } = await discovery.stream(0);
      await inbox.next();
      for (const type of [nameTableType, typeUrl.proxyConfig, typeUrl.healthInformation])
        assert.deepEqual(await inbox.next(), encoding.bareRequest(type));
    });

    test("is answered by the first resource alone", async () => {
      await using discovery = await TestDiscoveryServer.listen();
      await using xds = await xdsFixture({ address: discovery.address }, undefined, {}, handlers);
      const { stream } = xds.envoy(encoding);
      stream.enqueue(encoding.request({ typeUrl: typeUrl.listener }));
      const upstream = await discovery.stream(0);
      for (let request = 0; request < 3; request += 1) await upstream.inbox.next();
      // The second is no name table at all.
      const resources = [
        { name: "", bytes: Buffer.alloc(0) },
        { name: "noise", bytes: randomBytes(40) },
      ];
      upstream.stream.enqueue(encoding.response({ typeUrl: nameTableType, nonce: "7", resources }));
      assert.deepEqual(await upstream.inbox.next(), encoding.acknowledgement(nameTableType, "7"));
    });

    test("is refused with INTERNAL and the reason when it cannot be read", async () => {
      await using discovery = await TestDiscoveryServer.listen();
      await using xds = await xdsFixture({ address: discovery.address }, undefined, {}, handlers);
      const { stream } = xds.envoy(encoding);
      stream.enqueue(encoding.request({ typeUrl: typeUrl.listener }));
      const upstream = await discovery.stream(0);
      for (let request = 0; request < 3; request += 1) await upstream.inbox.next();
      upstream.stream.enqueue(encoding.raw(typeUrl.proxyConfig, "8", Buffer.from("0aff", "hex")));
      const refusal = await upstream.inbox.next();
      const { errorDetail } = encoding.readRequest(refusal);
      const { code, message } = errorDetail as { code: number; message: string };
      assert.equal(code, 13);
      assert.notEqual(message, "");
      assert.ok(refusal.includes("8"), "it names the response");
    });
  });
}

test("an Envoy that does not take a response for long is named once", async () => {
  await using discovery = await TestDiscoveryServer.listen();
  await using xds = await xdsFixture({ address: discovery.address }, undefined, {
    limits: { answerWithinMs: 2_000, rootCheckMs: 5_000, slowAfterMs: 1_000 },
  });
  const { stream, inbox } = xds.envoy(delta);
  stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
  const upstream = await discovery.stream(0);
  const large = delta.response({ typeUrl: typeUrl.cluster, nonce: "1", bytes: randomBytes(1_000_000) });
  // The library of the test's Envoy itself takes some that nobody reads.
  for (let index = 0; index < 60; index += 1) upstream.stream.enqueue(large);
  await inbox.next();
  await eventually(
    "the warning",
    () => assert.ok(xds.lines.some((line) => /^warn\tEnvoy does not take a response\t.*Cluster/.test(line))),
    { withinMs: 20_000 },
  );
  assert.equal(xds.lines.filter((line) => line.includes("does not take")).length, 1);
});
