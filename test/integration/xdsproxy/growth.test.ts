import assert from "node:assert/strict";
import { test } from "node:test";
import { GrpcChannel } from "../../../src/grpc/channel.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { TestDiscoveryServer } from "../../support/discovery-server.ts";
import { eventually } from "../../support/eventually.ts";
import { inboxOf } from "../../support/inbox.ts";
import { type XdsFixture, xdsFixture } from "../../support/xds-fixture.ts";
import { delta } from "../../support/xds-messages.ts";

/** What keeps this process alive, by kind: sockets, servers, timers. */
function resources(): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** One stream of Envoy from its first request to its end, by whichever side. */
async function stream(
  xds: XdsFixture,
  discovery: TestDiscoveryServer,
  isEndedByEnvoy: boolean,
): Promise<void> {
  using channel = new GrpcChannel({ address: `unix:${xds.path}`, tls: undefined });
  const envoy = channel.stream(
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
    {},
  );
  const inbox = inboxOf(envoy);
  envoy.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
  envoy.enqueue(delta.request({ typeUrl: typeUrl.listener }));
  const upstream = await discovery.stream(discovery.streams.length);
  upstream.stream.enqueue(delta.response({ typeUrl: typeUrl.cluster, nonce: "1" }));
  await inbox.next();
  if (isEndedByEnvoy) envoy.cancel();
  else upstream.end();
  await eventually("the upstream's end", () => assert.ok(upstream.context.signal.aborted), {
    withinMs: 5_000,
    everyMs: 5,
  });
}

test("a hundred streams that have ended leave no socket and no timer", async () => {
  await using discovery = await TestDiscoveryServer.listen();
  await using xds = await xdsFixture({ address: discovery.address });
  xds.proxy.reportHealth({ kind: "healthy" });
  for (let round = 0; round < 4; round += 1) await stream(xds, discovery, round % 2 === 0);
  await xds.becomes("disconnected");
  const before = resources();
  for (let round = 0; round < 100; round += 1) await stream(xds, discovery, round % 2 === 0);
  await eventually(
    "no more than there was before",
    () => {
      const after = resources();
      const grown = Object.keys(after).filter((kind) => (after[kind] ?? 0) > (before[kind] ?? 0) + 1);
      assert.deepEqual(grown, [], JSON.stringify({ before, after }));
    },
    { withinMs: 20_000, everyMs: 200 },
  );
});
