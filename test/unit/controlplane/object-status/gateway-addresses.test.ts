import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ConfigObject, KubernetesGatewaySpec } from "../../../../src/controlplane/config/objects.ts";
import { GatewayAddresses } from "../../../../src/controlplane/object-status/gateway-addresses.ts";

const place = { namespace: "demo", source: "test", line: 0 };

const service = (name: string, loadBalancer?: readonly string[]): ConfigObject => ({
  ...{ kind: "ServiceEntry", name: `kubernetes:${name}`, ...place },
  ...(loadBalancer === undefined ? {} : { loadBalancer }),
  spec: { hosts: [`${name}.demo.svc.cluster.local`], ports: [] },
});

type Gateway = Extract<ConfigObject, { kind: "KubernetesGateway" }>;

const gateway = (spec: Partial<KubernetesGatewaySpec> = {}): Gateway => ({
  ...place,
  kind: "KubernetesGateway",
  name: "edge",
  spec: { gatewayClassName: "istio", listeners: [], ...spec },
});

const told = (objects: readonly ConfigObject[], spec?: Partial<KubernetesGatewaySpec>): readonly string[] =>
  new GatewayAddresses(objects).of(gateway(spec)).map(({ type, value }) => `${type} ${value}`);

describe("a Gateway is called", () => {
  test("nowhere while it has no service", () => {
    assert.deepEqual(told([service("other", ["192.0.2.1"])]), []);
  });

  test("by its service's name, or by the load balancer that it has", () => {
    assert.deepEqual(told([service("edge-istio")]), ["Hostname edge-istio.demo.svc.cluster.local"]);
    assert.deepEqual(told([service("edge-istio", ["192.0.2.1", "lb.example.com", "192.0.2.1"])]), [
      "IPAddress 192.0.2.1",
      "Hostname lb.example.com",
    ]);
  });

  test("by the services that its addresses name", () => {
    const addresses = [{ type: "Hostname", value: "shared" }] as const;
    assert.deepEqual(told([service("edge-istio"), service("shared", ["2001:db8::1"])], { addresses }), [
      "IPAddress 2001:db8::1",
    ]);
  });
});
