/** What Envoy would refuse for the rules of its fields is known before it is sent, field by field. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type PushedType, pushedTypes } from "../../../../src/controlplane/networking/pushed-types.ts";

type Kind = "cluster" | "listener" | "route" | "endpoint";

const routed = (route: object, match: object = { prefix: "/" }): object => ({
  virtualHosts: [{ name: "a", domains: ["a"], routes: [{ match, ...route }] }],
});
const atRoute = "virtual_hosts[0].routes[0]";
const listening = { socketAddress: { address: "127.0.0.1", portValue: 1 } };
const managed = (json: object): object => ({
  name: "a",
  address: listening,
  filterChains: [
    {
      filters: [
        {
          name: "hcm",
          typedConfig: {
            "@type":
              "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            ...json,
          },
        },
      ],
    },
  ],
});
const inManager = "filter_chains[0].filters[0].typed_config";

/** In order: what is pushed, and the rules that it breaks. */
const rows: readonly (readonly [kind: Kind, json: object, broken: readonly string[]])[] = [
  ["cluster", { name: "a", connectTimeout: "1s" }, []],
  [
    "cluster",
    { connectTimeout: "0s" },
    ["name: must have at least 1 characters", "connect_timeout: must be more than 0s"],
  ],
  [
    "cluster",
    { name: "a", lbPolicy: "RING_HASH", ringHashLbConfig: { minimumRingSize: "8388609" } },
    ["ring_hash_lb_config.minimum_ring_size: must be at most 8388608"],
  ],
  [
    "cluster",
    { name: "a", outlierDetection: { maxEjectionPercent: 101, interval: "0s" } },
    [
      "outlier_detection.interval: must be more than 0s",
      "outlier_detection.max_ejection_percent: must be at most 100",
    ],
  ],
  [
    "cluster",
    {
      name: "a",
      healthChecks: [{ timeout: "1s", unhealthyThreshold: 1, healthyThreshold: 1 }],
    },
    [
      "health_checks[0].interval: must be there",
      "health_checks[0].health_checker: must be one of http_health_check, tcp_health_check, grpc_health_check, custom_health_check",
    ],
  ],
  ["endpoint", { endpoints: [] }, ["cluster_name: must have at least 1 characters"]],
  [
    "endpoint",
    {
      clusterName: "a",
      endpoints: [{ lbEndpoints: [{ loadBalancingWeight: 0 }], priority: 129 }],
    },
    [
      "endpoints[0].lb_endpoints[0].load_balancing_weight: must be at least 1",
      "endpoints[0].priority: must be at most 128",
    ],
  ],
  ["route", routed({ route: { cluster: "a" } }), []],
  [
    "route",
    routed({ route: {} }),
    [
      `${atRoute}.route.cluster_specifier: must be one of cluster, cluster_header, weighted_clusters, cluster_specifier_plugin, inline_cluster_specifier_plugin`,
    ],
  ],
  [
    "route",
    routed({ directResponse: { status: 99 } }),
    [`${atRoute}.direct_response.status: must be at least 200 and less than 600`],
  ],
  [
    "route",
    routed({
      directResponse: { status: 200 },
      requestHeadersToAdd: [{ header: { key: "a\nb", value: "c" } }],
    }),
    [`${atRoute}.request_headers_to_add[0].header.key: must be a header's name`],
  ],
  [
    "route",
    routed({ directResponse: { status: 200 }, requestHeadersToRemove: ["a b\n"] }),
    [`${atRoute}.request_headers_to_remove: must be a header's name`],
  ],
  [
    "route",
    { virtualHosts: [{ name: "a", domains: [] }] },
    ["virtual_hosts[0].domains: must have at least 1 entries"],
  ],
  ["listener", managed({ statPrefix: "a", rds: { configSource: { ads: {} }, routeConfigName: "a" } }), []],
  [
    "listener",
    managed({ statPrefix: "a" }),
    [`${inManager}.route_specifier: must be one of rds, route_config, scoped_routes`],
  ],
  [
    "listener",
    managed({ routeConfig: routed({}) }),
    [
      `${inManager}.stat_prefix: must have at least 1 characters`,
      `${inManager}.route_config.${atRoute}.action: must be one of route, redirect, direct_response, filter_action, non_forwarding_action`,
    ],
  ],
];

/** The same message without the prefix of its error. */
function brokenOf(kind: Kind, json: object): readonly string[] {
  try {
    const type: PushedType = pushedTypes[kind];
    type.encode(json);
    return [];
  } catch (error) {
    const { message } = error as Error;
    assert.match(message, /^Envoy would refuse it: /);
    return message.slice("Envoy would refuse it: ".length).split("; ");
  }
}

describe("the rules of Envoy's fields", () => {
  for (const [kind, json, broken] of rows)
    test(`${kind}: ${broken.join("; ") || "nothing is broken"}`, () => {
      assert.deepEqual(brokenOf(kind, json).toSorted(), [...broken].toSorted());
    });

  test("count for the field alone of which a message is a part", () => {
    const part = { filterChains: [{ filters: [] }] };
    assert.ok(pushedTypes.listener.encode(part, "filterChains").length > 0);
  });
});
