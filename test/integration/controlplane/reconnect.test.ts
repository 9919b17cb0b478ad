/** On a new stream an Envoy that serves asks for all types at once: what leads to new clusters waits until they are warm. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { DiscoveryPlane, type TestNode } from "../../support/discovery-plane.ts";

const metadata = { NAMESPACE: "demo", SERVICE_ACCOUNT: "web" };
const nodeOf = (type: string): TestNode => ({
  id: `${type}~127.0.0.1~web-1.demo~demo.svc.cluster.local`,
  metadata,
});

describe("a stream on which all types are asked for at once", () => {
  for (const [how, verdict] of [
    ["taken", {}],
    ["refused", { error: "Error adding/updating cluster(s) BlackHoleCluster: no" }],
  ] as const)
    test(`has listeners after its clusters are ${how}`, async () => {
      await using plane = await DiscoveryPlane.start({});
      const proxy = await plane.secure("web", nodeOf("sidecar"));
      proxy.send({ typeUrl: typeUrl.cluster });
      proxy.send({ typeUrl: typeUrl.listener });
      const clusters = await proxy.next();
      assert.equal(clusters.typeUrl, typeUrl.cluster);
      assert.match(clusters.identifier, /^\{"Component":"outrider","ID":"[^"]+","Info":/);
      // Asked for later, and answered first: it leads to no cluster.
      proxy.send({ typeUrl: typeUrl.endpoint, names: ["none"] });
      assert.equal((await proxy.next()).typeUrl, typeUrl.endpoint);
      proxy.send({ typeUrl: typeUrl.cluster, nonce: clusters.nonce, ...verdict });
      assert.equal((await proxy.next()).typeUrl, typeUrl.listener);
    });
});

test("what is asked for again and again before clusters are taken is answered once", async () => {
  await using plane = await DiscoveryPlane.start({});
  const proxy = await plane.secure("web", nodeOf("sidecar"));
  proxy.send({ typeUrl: typeUrl.cluster });
  const { nonce } = await proxy.next();
  for (let request = 0; request < 20; request += 1) proxy.send({ typeUrl: typeUrl.listener });
  proxy.send({ typeUrl: typeUrl.cluster, nonce });
  assert.equal((await proxy.next()).typeUrl, typeUrl.listener);
  proxy.send({ typeUrl: typeUrl.endpoint, names: ["none"] });
  assert.equal((await proxy.next()).typeUrl, typeUrl.endpoint);
});

test("a proxy without any listener is told of, with what it takes", async () => {
  await using plane = await DiscoveryPlane.start({});
  const silent: readonly TestNode[] = [
    { ...nodeOf("sidecar"), metadata: { ...metadata, INTERCEPTION_MODE: "NONE" } },
    nodeOf("router"),
    nodeOf("waypoint"),
  ];
  for (const node of [...silent, nodeOf("sidecar")]) {
    const proxy = await plane.secure("web", node);
    proxy.send({ typeUrl: typeUrl.cluster });
    await proxy.next();
  }
  const told = plane.log.lines.filter((line) => line.includes("a proxy has no listener"));
  assert.deepEqual(
    told.map((line) => /reason="?([^"\t]*)/.exec(line)?.[1]),
    [
      "it captures nothing (INTERCEPTION_MODE=NONE), no Sidecar of the namespace demo names a port for it, and it sees no service that it could bind a port for",
      "no Gateway selects its labels, or no rule is for those that do",
      "this control plane serves sidecars and routers only, neither ztunnel nor waypoints",
    ],
  );
});
