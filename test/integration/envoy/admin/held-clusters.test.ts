/** What a real Envoy says of the clusters that keep it from its listeners. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { EnvoyAdmin } from "../../../../src/envoy/admin/admin.ts";
import { describeHeld } from "../../../../src/envoy/admin/held-clusters.ts";
import { mayBeHeldByClusters, readinessStats } from "../../../../src/envoy/admin/readiness.ts";
import { eventually } from "../../../support/eventually.ts";
import { PlainEnvoy } from "../../../support/plain-envoy.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

const typeUrl = "type.googleapis.com/";

test("an Envoy whose DNS does not answer names the cluster of the control plane that waits for it", async () => {
  using folder = temporaryFolder();
  await using stack = new AsyncDisposableStack();
  // It takes every question and answers none.
  const nameserver = createSocket("udp4");
  await new Promise<void>((resolve) => {
    nameserver.bind(0, "127.0.0.1", resolve);
  });
  stack.defer(() => {
    nameserver.close();
  });
  const clusters = join(folder.path, "cds.json");
  const cluster = {
    "@type": `${typeUrl}envoy.config.cluster.v3.Cluster`,
    ...{ name: "outbound|9000||legacy.nowhere.example", type: "STRICT_DNS", connect_timeout: "1s" },
    typed_dns_resolver_config: {
      name: "envoy.network.dns_resolver.cares",
      typed_config: {
        "@type": `${typeUrl}envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig`,
        resolvers: [{ socket_address: { address: "127.0.0.1", port_value: nameserver.address().port } }],
        ...{ query_timeout_seconds: 60, query_tries: 1 },
      },
    },
    load_assignment: {
      cluster_name: "legacy",
      endpoints: [
        {
          lb_endpoints: [
            {
              endpoint: { address: { socket_address: { address: "legacy.nowhere.example", port_value: 1 } } },
            },
          ],
        },
      ],
    },
  };
  writeFileSync(clusters, JSON.stringify({ resources: [cluster] }));
  const listeners = join(folder.path, "lds.json");
  writeFileSync(listeners, JSON.stringify({ resources: [] }));
  const adminPath = join(folder.path, "admin.sock");
  stack.use(
    await PlainEnvoy.start({
      folder: folder.path,
      adminPath,
      bootstrap: {
        node: { id: "web", cluster: "web" },
        dynamic_resources: {
          cds_config: { path_config_source: { path: clusters } },
          lds_config: { path_config_source: { path: listeners } },
        },
      },
    }),
  );
  const admin = new EnvoyAdmin(adminPath);
  await eventually(
    "the cluster that waits",
    async () => {
      assert.ok(mayBeHeldByClusters(await admin.stats(readinessStats)));
      assert.equal(
        describeHeld(await admin.heldClusters()),
        "Envoy waits until DNS answers for its clusters: outbound|9000||legacy.nowhere.example",
      );
    },
    { withinMs: 30_000 },
  );
});
