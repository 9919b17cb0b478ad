import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readListeners } from "../../../../src/envoy/admin/listeners.ts";

const address = { socket_address: { address: "0.0.0.0", port_value: 15006 } };
const tls = {
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
  },
};

function facts(listener: object) {
  const [found] = readListeners([{ active_state: { listener: { name: "a", address, ...listener } } }]);
  assert.ok(found !== undefined);
  return found;
}

describe("readListeners()", () => {
  test("reads static and dynamic listeners, and passes over those that are not active", () => {
    const found = readListeners([
      { listener: { name: "static", address } },
      { active_state: { listener: { name: "dynamic", address } } },
      { name: "failed", error_state: { details: "no" } },
    ]);
    assert.deepEqual(
      found.map(({ name }) => name),
      ["static", "dynamic"],
    );
  });

  for (const [name, listener, expected] of [
    ["a plain listener", {}, undefined],
    ["one with reuse_port off", { enable_reuse_port: false }, /enable_reuse_port off/],
    ["a Unix socket", { address: { pipe: { path: "/a" } } }, /Unix socket/],
    ["a UDP listener", { address: { socket_address: { port_value: 1, protocol: "UDP" } } }, /UDP/],
    ["one that is not bound", { bind_to_port: false, enable_reuse_port: false }, undefined],
  ] as const) {
    test(`${name} ${expected === undefined ? "can" : "cannot"} be bound twice`, () => {
      const { exclusive } = facts(listener);
      if (expected === undefined) assert.equal(exclusive, undefined);
      else assert.match(exclusive ?? "", expected);
    });
  }

  for (const [name, listener, expected] of [
    ["a chain with TLS", { filter_chains: [{ transport_socket: tls }] }, 1],
    ["a chain without", { filter_chains: [{}] }, 0],
    [
      "a chain for the listener's own port",
      { filter_chains: [{ transport_socket: tls, filter_chain_match: { destination_port: 15006 } }] },
      1,
    ],
    [
      "a chain for a port that is captured",
      { filter_chains: [{ transport_socket: tls, filter_chain_match: { destination_port: 8080 } }] },
      0,
    ],
    [
      "a chain for every port, beside one for the listener's own",
      {
        filter_chains: [
          { name: "virtualInbound-blackhole", filter_chain_match: { destination_port: 15006 } },
          { transport_socket: tls, filter_chain_match: { transport_protocol: "tls" } },
        ],
      },
      0,
    ],
    [
      "a chain for wildcard names only",
      { filter_chains: [{ transport_socket: tls, filter_chain_match: { server_names: ["*.x"] } }] },
      0,
    ],
    [
      "a listener that wants PROXY protocol first",
      {
        listener_filters: [
          {
            typed_config: {
              "@type":
                "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
            },
          },
        ],
        filter_chains: [{ transport_socket: tls }],
      },
      0,
    ],
  ] as const) {
    test(`${name}: ${expected} to shake hands with`, () => {
      assert.equal(facts(listener).tls.length, expected);
    });
  }
});
