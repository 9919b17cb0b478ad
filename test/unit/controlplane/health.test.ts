import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { buildModel } from "../../../src/controlplane/model/build-model.ts";
import { isEndpointOf, withUnhealthy } from "../../../src/controlplane/model/health.ts";
import type { Endpoint } from "../../../src/controlplane/model/model.ts";
import type { Proxy } from "../../../src/controlplane/model/proxy.ts";
import { loadAssignments } from "../../../src/controlplane/networking/load-assignment.ts";

const endpoint: Endpoint = {
  address: "10.0.0.1",
  ports: {},
  locality: "",
  labels: { app: "api" },
  serviceAccount: "api",
  namespace: "demo",
  weight: 1,
  isHealthy: true,
};

const proxy: Proxy = {
  id: "sidecar~10.0.0.1~api-1.demo~demo.svc.cluster.local",
  addresses: ["10.0.0.1", "fd00::1"],
  name: "api-1",
  namespace: "demo",
  idNamespace: "demo",
  labels: { app: "api", version: "v1" },
  serviceAccount: "api",
  interceptionMode: "REDIRECT",
  answersDns: false,
};

describe("isEndpointOf()", () => {
  const cases: readonly [what: string, changes: Partial<Endpoint>, expected: boolean][] = [
    ["its own", {}, true],
    ["its own by another of its addresses", { address: "fd00::1" }, true],
    ["another address", { address: "10.0.0.2" }, false],
    ["another namespace", { namespace: "other" }, false],
    ["another account", { serviceAccount: "web" }, false],
    ["no account", { serviceAccount: "" }, false],
    ["another workload at the address", { labels: { app: "api", version: "v2" } }, false],
  ];
  for (const [what, changes, expected] of cases) {
    test(`${what}: ${expected}`, () => {
      assert.equal(isEndpointOf({ ...endpoint, ...changes }, proxy), expected);
    });
  }
});

test("an unhealthy workload is in no load assignment, and the model keeps it", () => {
  const workload = (address: string, version: string) => ({
    address,
    labels: { app: "api", version },
    serviceAccount: "api",
    ports: undefined,
    weight: undefined,
  });
  const model = buildModel(
    [
      {
        kind: "ServiceEntry",
        namespace: "demo",
        name: "api",
        source: "api.yaml",
        line: 1,
        spec: {
          hosts: ["api.demo"],
          addresses: undefined,
          resolution: "STATIC",
          location: undefined,
          ports: [{ number: 80, name: "http", protocol: "HTTP", targetPort: undefined }],
          endpoints: [workload("10.0.0.1", "v1"), workload("10.0.0.2", "v2")],
          workloadSelector: undefined,
        },
      },
    ],
    { trustDomains: ["cluster.local"], rootNamespace: "istio-system" },
  );
  const addresses = (unhealthy: readonly Proxy[]): readonly unknown[] =>
    withUnhealthy(model, unhealthy)
      .services.flatMap((each) =>
        loadAssignments({ peers: model.peers, place: { locality: "", labels: {} } }, each, undefined),
      )
      .flatMap(({ endpoints }) => endpoints ?? [])
      .flatMap(({ lbEndpoints }) => lbEndpoints ?? [])
      .map(({ endpoint: to }) => to?.address?.socketAddress?.address);
  assert.deepEqual(addresses([]), ["10.0.0.1", "10.0.0.2"]);
  assert.deepEqual(addresses([proxy]), ["10.0.0.2"]);
  assert.deepEqual(
    addresses([proxy, { ...proxy, addresses: ["10.0.0.2"], labels: { app: "api", version: "v2" } }]),
    [],
  );
  assert.equal(withUnhealthy(model, [proxy]).services[0]?.endpoints.length, 2);
});
