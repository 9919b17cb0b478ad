import assert from "node:assert/strict";
import { test } from "node:test";
import { parseStats } from "../../../../src/envoy/admin/admin.ts";
import { hasRefusedHandshakes, tlsCounts, upstreamPlaces } from "../../../../src/envoy/admin/tls-failures.ts";

test("handshakes are counted by cluster and listener, whose names may hold anything", () => {
  const stats = parseStats(
    [
      "cluster.outbound|80||api.demo.svc;.ssl.fail_verify_error: 3",
      "cluster.outbound|80||api.demo.svc;.ssl.handshake: 5",
      "cluster.xds-grpc.ssl.fail_verify_san: 2",
      "listener.0.0.0.0_15006.ssl.fail_verify_no_cert: 1",
      "cluster.a.upstream_cx_total: 9",
    ].join("\n"),
  );
  const none = { handshakes: 0, unverified: 0, wrongName: 0, missing: 0 };
  assert.deepEqual(tlsCounts(stats), [
    { ...none, side: "cluster", name: "outbound|80||api.demo.svc", handshakes: 5, unverified: 3 },
    { ...none, side: "cluster", name: "xds-grpc", wrongName: 2 },
    { ...none, side: "listener", name: "0.0.0.0_15006", missing: 1 },
  ]);
});

test("a handshake that was refused shows among other statistics, one that succeeded does not", () => {
  const seen = (...lines: readonly string[]): boolean => hasRefusedHandshakes(parseStats(lines.join("\n")));
  assert.equal(seen("server.state: 0", "cluster.api.ssl.handshake: 5"), false);
  for (const what of ["error", "san", "no_cert"])
    assert.equal(seen("server.state: 0", `listener.0.0.0.0_15006.ssl.fail_verify_${what}: 1`), true);
});

test("an upstream is where its endpoints are, by the server name that Envoy asks for", () => {
  const endpoint = (address: string): object => ({
    endpoint: { address: { socket_address: { address, port_value: 8080 } } },
  });
  const load = {
    endpoints: [{ lb_endpoints: ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"].map(endpoint) }],
  };
  const cluster = {
    cluster: { transport_socket_matches: [{ transport_socket: { typed_config: { sni: "a" } } }] },
  };
  assert.deepEqual(
    upstreamPlaces(cluster, [{ endpoint_config: load }]),
    ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((host) => ({ host, port: 8080, serverName: "a" })),
  );
  const own = { cluster: { load_assignment: { endpoints: [{ lb_endpoints: [endpoint("10.0.0.9")] }] } } };
  assert.deepEqual(upstreamPlaces(own, []), [{ host: "10.0.0.9", port: 8080, serverName: undefined }]);
  assert.deepEqual(upstreamPlaces(undefined, [{}]), []);
});
