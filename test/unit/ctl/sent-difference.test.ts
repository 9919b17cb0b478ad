import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConfigDump, readConfigDump } from "../../../src/ctl/proxy/config-dump.ts";
import { comparisonLines, sentDifference } from "../../../src/ctl/sent-difference.ts";

const admin = "type.googleapis.com/envoy.admin.v3";

function dump(cluster: object, endpoints: object = {}, more: object = {}): ConfigDump {
  const read = readConfigDump({
    configs: [
      {
        "@type": `${admin}.ClustersConfigDump`,
        dynamic_active_clusters: [{ version_info: "1", cluster: { name: "a", ...cluster }, ...more }],
        static_clusters: [{ cluster: { name: "agent" } }],
      },
      {
        "@type": `${admin}.EndpointsConfigDump`,
        dynamic_endpoint_configs: [
          { endpoint_config: { cluster_name: "a", endpoints: [{ lb_endpoints: [endpoints] }] } },
        ],
      },
    ],
  });
  assert.ok(read !== undefined);
  return read;
}

test("what Envoy has as it was sent matches, whatever the order of fields, and what Envoy writes out besides", () => {
  const sent = dump({ type: "EDS", connect_timeout: "10s" }, { load_balancing_weight: 1 });
  const has = dump(
    { connect_timeout: "10s", type: "EDS" },
    { health_status: "HEALTHY", load_balancing_weight: 1 },
    { last_updated: "2026-11-30T10:00:00.000Z" },
  );
  assert.deepEqual(comparisonLines(sentDifference(sent, has, "web-1.demo")), [
    "Clusters Match (last loaded at 2026-11-30T10:00:00.000Z)",
    "Listeners Match",
    "Routes Match",
    "Endpoints Match",
  ]);
});

test("what differs is shown as a diff from what was sent to what Envoy has", () => {
  const lines = comparisonLines(
    sentDifference(dump({ connect_timeout: "10s" }), dump({ connect_timeout: "1s" }), "web-1.demo"),
  );
  assert.deepEqual(lines.slice(0, 6), [
    "Clusters Don't Match",
    "--- control plane Clusters a",
    "+++ web-1.demo Clusters a",
    "@@ -1,2 +1,2 @@",
    "-connect_timeout: 10s",
    "+connect_timeout: 1s",
  ]);
});

test("an endpoint that Envoy holds for unhealthy differs", () => {
  const has = dump({}, { health_status: "UNHEALTHY" });
  const diff = sentDifference(dump({}), has, "web-1.demo").at(-1)?.diff ?? [];
  assert.ok(diff.includes("+      - health_status: UNHEALTHY"), diff.join("\n"));
});

test("what has no line in common is shown whole, however many resources and lines there are", () => {
  const clusters = (tag: string): ConfigDump => {
    const read = readConfigDump({
      configs: [
        {
          "@type": `${admin}.ClustersConfigDump`,
          dynamic_active_clusters: Array.from({ length: 2_000 }, (_, index) => ({
            cluster: { name: "same", [tag]: Array.from({ length: 40 }, () => `${tag}${index}`) },
          })),
        },
      ],
    });
    assert.ok(read !== undefined);
    return read;
  };
  const diff = sentDifference(clusters("a"), clusters("b"), "web-1.demo")[0]?.diff ?? [];
  assert.equal(diff.filter((line) => line.startsWith("-  - a")).length, 80_000);
  assert.equal(diff.filter((line) => line.startsWith("+  - b")).length, 80_000);
});
