/** istiod's debug interface over ADS, as `istioctl proxy-status` asks it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import {
  ClientConfigSchema,
  ConfigStatus,
} from "../../../src/proto/envoy/envoy/service/status/v3/csds_pb.js";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { DiscoveryPlane } from "../../support/discovery-plane.ts";
import { eventually } from "../../support/eventually.ts";

const withinMs = 20_000;
const syncz = "istio.io/debug/syncz";
const web = {
  id: "sidecar~127.0.0.1~web-1.demo~demo.svc.cluster.local",
  metadata: { NAMESPACE: "demo", SERVICE_ACCOUNT: "web" },
};
const istioctl = { id: "debug~0.0.0.0~istioctl~cluster.local" };

describe("the question of proxy-status", () => {
  test("is answered with what each proxy has taken", async () => {
    await using plane = await DiscoveryPlane.start({});
    const proxy = await plane.secure("web", web);
    proxy.send({ typeUrl: typeUrl.cluster });
    const { nonce } = await proxy.next();
    proxy.send({ typeUrl: typeUrl.listener });
    await proxy.next();
    const asking = await plane.secure("default", istioctl, "istio-system");
    const ask = async (): Promise<readonly (readonly [string, ConfigStatus])[]> => {
      asking.send({ typeUrl: syncz });
      const { resources } = await asking.next();
      assert.equal(resources.length, 1);
      const { node, genericXdsConfigs } = fromBinary(
        ClientConfigSchema,
        resources[0]?.value ?? Buffer.alloc(0),
      );
      assert.equal(node?.id, "web-1.demo");
      return genericXdsConfigs.map((config) => [config.typeUrl, config.configStatus]);
    };
    const statuses = (clusters: ConfigStatus): readonly (readonly [string, ConfigStatus])[] => [
      [typeUrl.cluster, clusters],
      [typeUrl.endpoint, ConfigStatus.NOT_SENT],
      [typeUrl.listener, ConfigStatus.STALE],
      [typeUrl.route, ConfigStatus.NOT_SENT],
      [typeUrl.extension, ConfigStatus.NOT_SENT],
    ];
    assert.deepEqual(await ask(), statuses(ConfigStatus.STALE));
    proxy.send({ typeUrl: typeUrl.cluster, nonce });
    const becomes = (status: ConfigStatus): Promise<void> =>
      eventually("the answer", async () => assert.deepEqual(await ask(), statuses(status)), { withinMs });
    await becomes(ConfigStatus.SYNCED);
    proxy.send({
      typeUrl: typeUrl.cluster,
      nonce,
      error: "Error adding/updating cluster(s) BlackHoleCluster: no",
    });
    await becomes(ConfigStatus.ERROR);
  });

  test("is answered as a page, and another page is refused", async () => {
    await using plane = await DiscoveryPlane.start({});
    const asking = await plane.secure("default", istioctl, "istio-system");
    asking.send({ typeUrl: "istio.io/debug", names: ["syncz"] });
    const { typeUrl: type, resources } = await asking.next();
    assert.equal(type, "istio.io/debug");
    assert.deepEqual(JSON.parse(Buffer.from(resources[0]?.value ?? []).toString("utf8")), []);
    asking.send({ typeUrl: "istio.io/debug", names: ["secrets"] });
    await assert.rejects(asking.next(), { code: "INVALID_ARGUMENT" });
  });

  test("is refused to a workload, and to whoever proves nothing", async () => {
    await using plane = await DiscoveryPlane.start({});
    for (const asking of [await plane.secure("web", web), plane.plain(istioctl)]) {
      asking.send({ typeUrl: syncz });
      await assert.rejects(asking.next(), { code: "PERMISSION_DENIED", details: /istio-system/ });
    }
  });
});
