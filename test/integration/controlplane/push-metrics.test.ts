/** What istiod's dashboards and alerts look at, under its names. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { DiscoveryPlane } from "../../support/discovery-plane.ts";
import { eventually } from "../../support/eventually.ts";
import { get } from "../../support/mesh.ts";

const web = {
  id: "sidecar~127.0.0.1~web-1.demo~demo.svc.cluster.local",
  metadata: { NAMESPACE: "demo", SERVICE_ACCOUNT: "web" },
};

test("pushes, refusals, overtaken answers, the largest request and the time to send are counted", async () => {
  await using plane = await DiscoveryPlane.start({});
  const proxy = await plane.secure("web", web);
  proxy.send({ typeUrl: typeUrl.cluster });
  const { nonce } = await proxy.next();
  const longName = "x".repeat(5_000);
  proxy.send({ typeUrl: typeUrl.cluster, nonce: "of a response long ago" });
  proxy.send({
    typeUrl: typeUrl.cluster,
    nonce,
    error: "Error adding/updating cluster(s) BlackHoleCluster: no",
  });
  proxy.send({ typeUrl: typeUrl.endpoint, names: [longName] });
  const endpoints = await proxy.next();
  // The newest one is neither refused nor overtaken.
  proxy.send({ typeUrl: typeUrl.endpoint, nonce: endpoints.nonce, names: [longName] });
  await eventually(
    "every metric",
    async () => {
      const text = (await get(plane.server.ports.http, "/metrics")).body.toString("utf8");
      assert.match(text, /^pilot_xds_pushes\{type="cds"\} 1$/m);
      assert.match(text, /^pilot_xds_pushes\{type="eds"\} 1$/m);
      assert.match(text, /^pilot_total_xds_rejects\{type="cds"\} 1$/m);
      assert.match(text, /^pilot_xds_expired_nonce\{type="cds"\} 1$/m);
      assert.doesNotMatch(text, /(?:rejects|expired_nonce)\{type="eds"\}/);
      assert.match(text, /^pilot_xds_recv_max 5\d\d\d$/m);
      assert.match(text, /^pilot_xds_send_time_bucket\{le="30"\} 2$/m);
      assert.match(text, /^pilot_xds_send_time_count 2$/m);
    },
    { withinMs: 10_000 },
  );
});
