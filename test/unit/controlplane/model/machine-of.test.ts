import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDocuments } from "../../../../src/controlplane/config/parse-documents.ts";
import { type BindingPolicy, bindProxy, type Peer } from "../../../../src/controlplane/model/bind-proxy.ts";
import { buildModel } from "../../../../src/controlplane/model/build-model.ts";
import { machineOf } from "../../../../src/controlplane/model/machine-of.ts";
import { type NodeFacts, parseProxy, type Proxy } from "../../../../src/controlplane/model/proxy.ts";

const settings = { trustDomains: ["cluster.local"], rootNamespace: "istio-system" };
const empty = buildModel([], settings);
const identity = { namespace: "demo", serviceAccount: "web" };
const peer: Peer = { identity, address: "10.0.0.7" };
const byIdentity: BindingPolicy = { binding: "identity", trustsAddresses: false };

function node(metadata: object = {}, more: Partial<NodeFacts> = {}): Proxy {
  const proxy = parseProxy({
    id: "sidecar~10.0.0.7~vm-1.demo~demo.svc.cluster.local",
    metadata: { NAMESPACE: "demo", SERVICE_ACCOUNT: "web", AUTO_REGISTER_GROUP: "web", ...metadata },
    ...more,
  });
  assert.ok(proxy !== undefined);
  return proxy;
}

function taken(said: Proxy, from = peer, policy = byIdentity): ReturnType<typeof machineOf> {
  return machineOf(said, from, empty, policy);
}

describe("the machine that a node asks to be registered as", () => {
  test("is none where it does not ask", () => {
    for (const group of [undefined, "", 1])
      assert.equal(taken(node({ AUTO_REGISTER_GROUP: group })), undefined);
  });

  test("has the identity of its credential, and what the node says besides", () => {
    const said = node(
      {
        LABELS: { app: "web", "istio-locality": "a.b" },
        NETWORK: "office",
        PROXY_CONFIG: { readinessProbe: {} },
      },
      { locality: { region: "eu", zone: "north" } },
    );
    assert.deepEqual(taken(said), {
      kind: "machine",
      machine: {
        ...{ group: "web", namespace: "demo", serviceAccount: "web", address: "10.0.0.7", network: "office" },
        ...{ labels: { app: "web" }, locality: "eu/north", isChecked: true },
      },
    });
  });

  test("has no labels that are none, and no more than sixty-four", () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`l${index}`, "v"]));
    const labels = (said: object): number => {
      const outcome = taken(node({ LABELS: said }));
      assert.ok(outcome?.kind === "machine");
      return Object.keys(outcome.machine.labels).length;
    };
    assert.equal(labels(many), 64);
    assert.equal(labels({ "a b": "c", a: "b c", c: 1, d: { e: "f" }, good: "v" }), 1);
  });

  const addresses: readonly [what: string, from: string, said: string, address: string | undefined][] = [
    ["the one that it connects from, of several", "fd00::7", "10.0.0.7,fd00::7", "fd00::7"],
    ["its first one, from the machine itself", "127.0.0.1", "10.0.0.7", "10.0.0.7"],
    ["none that it does not connect from", "192.0.2.1", "10.0.0.7", undefined],
  ];
  for (const [what, address, ips, expected] of addresses)
    test(`is at ${what}`, () => {
      const outcome = taken(node({ INSTANCE_IPS: ips }), { identity, address });
      if (expected !== undefined) {
        assert.ok(outcome?.kind === "machine");
        assert.equal(outcome.machine.address, expected);
        return;
      }
      assert.ok(outcome?.kind === "refused");
      assert.equal(outcome.code, "PERMISSION_DENIED");
      assert.match(outcome.reason, /the connection comes from 192\.0\.2\.1.*--trustProxyAddresses/);
    });

  test("is believed where it says that it is when addresses are trusted", () => {
    const outcome = taken(
      node(),
      { identity, address: "192.0.2.1" },
      { ...byIdentity, trustsAddresses: true },
    );
    assert.ok(outcome?.kind === "machine");
    assert.equal(outcome.machine.address, "10.0.0.7");
  });

  test("is none whose names make no object", () => {
    for (const metadata of [
      { AUTO_REGISTER_GROUP: "a/b" },
      { NETWORK: "a b" },
      { AUTO_REGISTER_GROUP: "Web" },
    ]) {
      const outcome = taken(node(metadata));
      assert.ok(outcome?.kind === "refused");
      assert.equal(outcome.code, "INVALID_ARGUMENT");
    }
  });
});

test("a proxy that was registered has the labels of what stands for it", () => {
  const entry = `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: web-10.0.0.7, namespace: demo}
spec: {address: 10.0.0.7, serviceAccount: web, labels: {app: web, tier: entry}}
`;
  const model = buildModel(parseDocuments("mesh.yaml", entry).objects, settings);
  const said = { ...node({ LABELS: { host: "vm-1", tier: "own" } }), registeredAs: "web-10.0.0.7" };
  const labelsBy = (policy: BindingPolicy): Proxy["labels"] => {
    const bound = bindProxy(said, peer, model, policy);
    assert.ok(bound.kind === "bound");
    return bound.proxy.labels;
  };
  assert.deepEqual(labelsBy(byIdentity), { app: "web", host: "vm-1", tier: "entry" });
  assert.deepEqual(labelsBy({ ...byIdentity, binding: "workload" }), { app: "web", tier: "entry" });
});
