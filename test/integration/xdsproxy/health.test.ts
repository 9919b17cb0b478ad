import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import type { HealthReport } from "../../../src/xdsproxy/stream/health-report.ts";
import { TestDiscoveryServer } from "../../support/discovery-server.ts";
import { xdsFixture } from "../../support/xds-fixture.ts";
import { delta, type Encoding, sotw } from "../../support/xds-messages.ts";

const healthy: HealthReport = { kind: "healthy" };
const sick: HealthReport = { kind: "unhealthy", reason: "it answered 503" };

/** Type of a request, and the reason of one that says that the workload is unhealthy. */
function told(encoding: Encoding, request: Buffer): readonly [type: string, reason?: string] {
  const { typeUrl: type, errorDetail } = encoding.readRequest(request);
  if (errorDetail === undefined) return [type];
  const { code, message } = errorDetail as { code: number; message: string };
  assert.equal(code, 13);
  return [type, message];
}

for (const encoding of [sotw, delta]) {
  describe(`the workload's health with ${encoding.method}`, () => {
    test("is told after Envoy's first request for listeners, and then at each change", async () => {
      await using discovery = await TestDiscoveryServer.listen();
      await using xds = await xdsFixture({ address: discovery.address });
      xds.proxy.reportHealth(sick);
      const { stream, inbox } = xds.envoy(encoding);
      stream.enqueue(encoding.request({ typeUrl: typeUrl.cluster }));
      const upstream = await discovery.stream(0);
      await upstream.inbox.next();
      xds.proxy.reportHealth(healthy);
      await upstream.inbox.staysEmpty(100);
      stream.enqueue(encoding.request({ typeUrl: typeUrl.listener }));
      assert.deepEqual(told(encoding, await upstream.inbox.next()), [typeUrl.listener]);
      assert.deepEqual(told(encoding, await upstream.inbox.next()), [typeUrl.healthInformation]);
      xds.proxy.reportHealth(sick);
      const unhealthy = [typeUrl.healthInformation, sick.kind === "unhealthy" ? sick.reason : ""];
      assert.deepEqual(told(encoding, await upstream.inbox.next()), unhealthy);
      // Envoy's later requests repeat nothing.
      stream.enqueue(encoding.request({ typeUrl: typeUrl.listener }));
      assert.deepEqual(told(encoding, await upstream.inbox.next()), [typeUrl.listener]);
      await upstream.inbox.staysEmpty(100);
      await inbox.staysEmpty(50);
    });

    test("is told again on each later stream, and on every stream that is open", async () => {
      await using discovery = await TestDiscoveryServer.listen();
      await using xds = await xdsFixture({ address: discovery.address });
      const open = async (index: number) => {
        const { stream } = xds.envoy(encoding);
        stream.enqueue(encoding.request({ typeUrl: typeUrl.listener }));
        const upstream = await discovery.stream(index);
        await upstream.inbox.next();
        return upstream;
      };
      const first = await open(0);
      await first.inbox.staysEmpty(100);
      xds.proxy.reportHealth(healthy);
      assert.deepEqual(told(encoding, await first.inbox.next()), [typeUrl.healthInformation]);
      const second = await open(1);
      assert.deepEqual(told(encoding, await second.inbox.next()), [typeUrl.healthInformation]);
      xds.proxy.reportHealth(sick);
      for (const { inbox } of [first, second]) assert.equal(told(encoding, await inbox.next()).length, 2);
      await discovery[Symbol.asyncDispose]();
      await using again = await TestDiscoveryServer.listen({ port: discovery.port });
      const { stream } = xds.envoy(encoding);
      stream.enqueue(encoding.request({ typeUrl: typeUrl.listener }));
      const { inbox } = await again.stream(0);
      await inbox.next();
      assert.equal(told(encoding, await inbox.next()).length, 2);
    });
  });
}
