import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDocuments } from "../../../src/controlplane/config/parse-documents.ts";
import { type BindingPolicy, bindProxy, type Peer } from "../../../src/controlplane/model/bind-proxy.ts";
import { buildModel } from "../../../src/controlplane/model/build-model.ts";
import { parseProxy, type Proxy } from "../../../src/controlplane/model/proxy.ts";

const workloads = `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: web, namespace: demo}
spec: {address: 10.0.0.1, serviceAccount: web, labels: {app: web}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: demo}
spec:
  hosts: [api.demo]
  resolution: STATIC
  ports: [{number: 80, name: http}]
  endpoints:
    - {address: 10.0.0.1, serviceAccount: web, labels: {app: web, version: v2}}
    - {address: 10.0.0.2, serviceAccount: api, labels: {app: api}}
`;

const model = buildModel(parseDocuments("mesh.yaml", workloads).objects, {
  trustDomains: ["cluster.local"],
  rootNamespace: "istio-system",
});

interface NodeChanges {
  readonly name?: string;
  readonly idNamespace?: string;
  readonly address?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

function node({
  name = "web-1",
  idNamespace = "demo",
  address = "10.0.0.1",
  metadata = {},
}: NodeChanges): Proxy {
  const proxy = parseProxy({
    id: `sidecar~${address}~${name}.${idNamespace}~demo.svc.cluster.local`,
    metadata: { NAMESPACE: "demo", SERVICE_ACCOUNT: "web", LABELS: { app: "web" }, ...metadata },
  });
  assert.ok(proxy !== undefined);
  return proxy;
}

const identity = { namespace: "demo", serviceAccount: "web", pod: "web-1" };
const peer: Peer = { identity, address: "10.0.0.1" };
const byIdentity: BindingPolicy = { binding: "identity", trustsAddresses: false };
const byWorkload: BindingPolicy = { binding: "workload", trustsAddresses: false };

function outcome(changes: NodeChanges, policy: BindingPolicy, from: Peer = peer): string {
  const bound = bindProxy(node(changes), from, model, policy);
  if (bound.kind === "refused") return bound.reason;
  return typeof bound.health === "string" ? "no health" : `health of ${bound.health.addresses.join()}`;
}

describe("a stream whose credential proves demo/web of the pod web-1", () => {
  const cases: readonly [what: string, changes: NodeChanges, expected: RegExp, from?: Peer][] = [
    ["its own node", {}, /^health of 10\.0\.0\.1$/],
    ["without a service account", { metadata: { SERVICE_ACCOUNT: undefined } }, /^health/],
    ["without NAMESPACE", { metadata: { NAMESPACE: undefined } }, /^health/],
    [
      "a node ID of another namespace",
      { idNamespace: "other" },
      /demo\/web.*node ID is other, the credential proves demo/,
    ],
    [
      "NAMESPACE of another namespace",
      { metadata: { NAMESPACE: "other" } },
      /NAMESPACE is other, .* proves demo/,
    ],
    ["both", { idNamespace: "other", metadata: { NAMESPACE: "other" } }, /\(demo\/web\) matched other\/web/],
    [
      "another service account",
      { metadata: { SERVICE_ACCOUNT: "api" } },
      /SERVICE_ACCOUNT is api, .* proves web/,
    ],
    ["another pod's name", { name: "web-2" }, /name in the node ID is web-2, .* proves web-1/],
    [
      "another pod's name where the platform names none",
      { name: "web-2" },
      /^health/,
      { ...peer, identity: { namespace: "demo", serviceAccount: "web" } },
    ],
    ["another's address", { address: "10.0.0.2" }, /^no health$/],
    [
      "another's address besides",
      { metadata: { INSTANCE_IPS: "10.0.0.1,10.0.0.2" } },
      /^health of 10\.0\.0\.1$/,
    ],
    [
      "from the machine itself",
      { address: "10.0.0.9" },
      /^health of 10\.0\.0\.9$/,
      { ...peer, address: "127.0.0.1" },
    ],
    ["through a sidecar", { address: "10.0.0.9" }, /^no health$/, { ...peer, address: "127.0.0.6" }],
  ];
  for (const [what, changes, expected, from] of cases) {
    test(`${what}: ${expected.source}`, () => {
      assert.match(outcome(changes, byIdentity, from), expected);
    });
  }

  test("is the credential's service account, whatever the node leaves out", () => {
    const bound = bindProxy(node({ metadata: { SERVICE_ACCOUNT: "" } }), peer, model, byIdentity);
    assert.equal(bound.kind === "bound" && bound.proxy.serviceAccount, "web");
  });

  test("speaks for any address behind NAT, where that is asked for", () => {
    const policy = { ...byIdentity, trustsAddresses: true };
    assert.equal(outcome({ address: "10.0.0.2" }, policy), "health of 10.0.0.2");
  });
});

describe("a stream that has to be a declared workload", () => {
  const cases: readonly [what: string, changes: NodeChanges, expected: RegExp][] = [
    ["its own", {}, /^health of 10\.0\.0\.1$/],
    [
      "labels of another workload",
      { metadata: { LABELS: { app: "api" } } },
      /declares no workload .*\{"app":"api"\}/,
    ],
    ["another's address", { address: "10.0.0.2" }, /declares no workload of this identity at 10\.0\.0\.2/],
    ["no labels", { metadata: { LABELS: {} } }, /declares no workload/],
  ];
  for (const [what, changes, expected] of cases) {
    test(`${what}: ${expected.source}`, () => {
      assert.match(outcome(changes, byWorkload), expected);
    });
  }

  const labels = (said: object): unknown => {
    const bound = bindProxy(node({ metadata: { LABELS: said } }), peer, model, byWorkload);
    return bound.kind === "bound" ? bound.proxy.labels : bound.reason;
  };

  test("has the labels of the folder, whatever more it says", () => {
    assert.deepEqual(labels({ app: "web", role: "admin" }), { app: "web" });
    assert.deepEqual(labels({ app: "web", version: "v2", role: "admin" }), { app: "web", version: "v2" });
  });

  test("from another address than its own is refused", () => {
    assert.match(outcome({}, byWorkload, { ...peer, address: "10.0.0.3" }), /comes from 10\.0\.0\.3/);
  });
});

test("without a credential everything is read and nothing is said", () => {
  const anybody: Peer = { identity: undefined, address: "127.0.0.1" };
  for (const policy of [byIdentity, byWorkload])
    assert.equal(outcome({ idNamespace: "other" }, policy, anybody), "no health");
});
