/** Services of one name in several clusters (IST0170). */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { multiClusterFindings } from "../../../../src/ctl/analyze/checks/multi-cluster.ts";

const port = { name: "http", port: 80, targetPort: 8080, protocol: "TCP" };
const other = { name: "grpc", port: 90, targetPort: 9090, protocol: "TCP" };

function told(...specs: readonly object[]): readonly string[] {
  const clusters = specs.map((spec, index) => ({
    cluster: ["here", "west", "east"][index] ?? "",
    services: new Map([["demo/api", { spec }]]),
  }));
  return multiClusterFindings(clusters, (name) => `cluster: Service ${name}`).map(
    ({ code, source, path, message }) => `${code ?? ""} ${source} ${path} ${message.split(": ")[1] ?? ""}`,
  );
}

describe("Services of several clusters", () => {
  test("that are the same but for what each cluster gives them are in order", () => {
    const spec = { type: "NodePort", clusterIP: "10.0.0.1", ports: [{ ...port, nodePort: 30_001 }, other] };
    const same = { type: "NodePort", clusterIP: "10.9.0.1", ports: [other, { ...port, nodePort: 30_002 }] };
    assert.deepEqual(told(spec, same), []);
    assert.deepEqual(told(spec), []);
  });

  test("that differ are told, with how", () => {
    const spec = { clusterIP: "10.0.0.1", ports: [port] };
    const rows: readonly (readonly [object, string])[] = [
      [{ ...spec, clusterIP: "None" }, "spec.clusterIP an address in here, None in west"],
      [{ ...spec, type: "LoadBalancer" }, "spec.type ClusterIP in here, LoadBalancer in west"],
      [
        { ...spec, ports: [{ ...port, targetPort: 8081 }] },
        "spec.ports [http 80 8080 TCP] in here, [http 80 8081 TCP] in west",
      ],
    ];
    for (const [differing, words] of rows)
      assert.deepEqual(told(spec, differing), [
        `IST0170 cluster: Service demo/api ${words}. Make it the same in each`,
      ]);
    assert.equal(told(spec, spec, { ...spec, type: "LoadBalancer" }).length, 1);
  });

  test("of different names have nothing to do with each other", () => {
    const of = (cluster: string, name: string, type: string) => ({
      cluster,
      services: new Map([[name, { spec: { type } }]]),
    });
    const clusters = [of("here", "demo/api", "ClusterIP"), of("west", "prod/api", "LoadBalancer")];
    assert.deepEqual(
      multiClusterFindings(clusters, (name) => name),
      [],
    );
  });
});
