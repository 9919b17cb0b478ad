import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseStats } from "../../../../src/envoy/admin/admin.ts";
import {
  describeConnections,
  outboundListeners,
  totalConnections,
  workloadConnections,
} from "../../../../src/envoy/drain/connections.ts";

const uncounted = { ownPorts: [15021, 15090], outbound: new Set(["0.0.0.0_15001", "10.0.0.1_443"]) };

function statsOf(counts: Readonly<Record<string, number>>): ReturnType<typeof parseStats> {
  const all = { admin: 1, ...counts };
  return parseStats(
    Object.entries(all)
      .map(([listener, count]) => `listener.${listener}.downstream_cx_active: ${count}`)
      .join("\n"),
  );
}

describe("workloadConnections()", () => {
  for (const [name, counts, expected] of [
    ["counts the workload's listeners", { "0.0.0.0_15006": 2 }, { "0.0.0.0_15006": 2 }],
    ["leaves out listeners without connections", { "0.0.0.0_15006": 0 }, {}],
    [
      "counts a connection once, not per worker",
      { "[__]_15006": 1, "[__]_15006.worker_0": 1 },
      { "[__]_15006": 1 },
    ],
    ["leaves out the agent's own listeners on IPv4", { "0.0.0.0_15021": 1, "127.0.0.1_15090": 1 }, {}],
    ["leaves out the agent's own listeners on IPv6", { "[__]_15021": 1, "[__]_15090": 1 }, {}],
    ["leaves out the agent's own listeners by name", { agent_readiness: 1, prometheus_stats: 1 }, {}],
    ["leaves out the admin listener's thread", { "admin.main_thread": 1 }, {}],
    ["leaves out internal listeners", { envoy_internal_main: 1 }, {}],
    [
      "leaves out outbound listeners",
      { "0.0.0.0_15001": 4, "10.0.0.1_443": 2, "10.0.0.2_443": 1 },
      { "10.0.0.2_443": 1 },
    ],
    ["knows a listener by its stat_prefix", { ingress_http: 3 }, { ingress_http: 3 }],
  ] as const) {
    test(name, () => {
      assert.deepEqual(workloadConnections(statsOf(counts), uncounted), new Map(Object.entries(expected)));
    });
  }

  test("does not take missing statistics for no connections", () => {
    assert.equal(workloadConnections(parseStats(""), uncounted), undefined);
    assert.equal(workloadConnections(parseStats("server.state: 0"), uncounted), undefined);
  });
});

describe("outboundListeners()", () => {
  const entry = (address: string, port: number, direction: string, prefix?: string): unknown => ({
    name: "any",
    active_state: {
      listener: {
        address: { socket_address: { address, port_value: port } },
        traffic_direction: direction,
        ...(prefix === undefined ? {} : { stat_prefix: prefix }),
      },
    },
  });

  test("has the names that statistics use", () => {
    const names = outboundListeners([
      entry("0.0.0.0", 15001, "OUTBOUND"),
      entry("0.0.0.0", 15006, "INBOUND"),
      entry("::", 8080, "OUTBOUND"),
      entry("10.0.0.9", 80, "OUTBOUND", "reviews:80"),
    ]);
    assert.deepEqual([...names], ["0.0.0.0_15001", "[__]_8080", "reviews_80"]);
  });

  test("leaves out a name that an inbound listener has as well, and what it cannot read", () => {
    const names = outboundListeners([
      entry("0.0.0.0", 80, "OUTBOUND"),
      entry("0.0.0.0", 80, "INBOUND"),
      { name: "warming", warming_state: {} },
      { active_state: { listener: { address: { pipe: { path: "/x" } }, traffic_direction: "OUTBOUND" } } },
      null,
    ]);
    assert.deepEqual([...names], []);
  });
});

test("connections are told in one line, the busiest listeners first", () => {
  const connections = new Map([
    ["a", 1],
    ["b", 5],
    ["c", 2],
    ["d", 1],
    ["e", 1],
    ["f", 1],
    ["g", 1],
  ]);
  assert.equal(describeConnections(connections), "b: 5, c: 2, a: 1, d: 1, e: 1 and 2 more listeners");
  assert.equal(totalConnections(connections), 12);
  assert.equal(describeConnections(new Map()), "");
});
