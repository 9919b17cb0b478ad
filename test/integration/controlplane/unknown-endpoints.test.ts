/** Endpoints of a cluster that is gone: Envoy would wait for them for ever, and take no other cluster meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { ClusterLoadAssignmentSchema } from "../../../src/proto/envoy/envoy/config/endpoint/v3/endpoint_pb.js";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { DiscoveryPlane } from "../../support/discovery-plane.ts";

const web = {
  id: "sidecar~127.0.0.1~web-1.demo~demo.svc.cluster.local",
  metadata: { NAMESPACE: "demo", SERVICE_ACCOUNT: "web" },
};
const gone = "outbound|80||gone.demo.svc.cluster.local";

test("endpoints that are asked for and are not there are none, and each request is answered", async () => {
  await using plane = await DiscoveryPlane.start({});
  const proxy = await plane.secure("web", web);
  for (const name of [gone, `${gone}-too`]) {
    proxy.send({ typeUrl: typeUrl.endpoint, names: [name] });
    const { resources } = await proxy.next();
    const [only, ...others] = resources.map(({ value }) =>
      fromBinary(ClusterLoadAssignmentSchema, value ?? Buffer.alloc(0)),
    );
    assert.deepEqual([only?.clusterName, only?.endpoints, others], [name, [], []]);
  }
});
