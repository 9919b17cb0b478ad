import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Endpoint, Service } from "../../../../src/controlplane/model/model.ts";
import { parseProxy, type Proxy } from "../../../../src/controlplane/model/proxy.ts";
import { generateNameTables } from "../../../../src/controlplane/networking/nds.ts";

function proxy(metadata: Readonly<Record<string, string>>): Proxy {
  const parsed = parseProxy({ id: "sidecar~10.0.0.1~web-1.demo~demo.svc.cluster.local", metadata });
  assert.ok(parsed !== undefined);
  return parsed;
}

function service(host: string, ...addresses: readonly string[]): Service {
  const endpoints = addresses.map((address): Endpoint => ({
    ...{
      address,
      ports: {},
      locality: "",
      labels: {},
      serviceAccount: "",
      namespace: "demo",
      weight: 1,
      isHealthy: true,
    },
  }));
  return {
    host,
    namespace: "demo",
    addresses: [],
    ports: [],
    resolution: "DNS",
    isExternal: false,
    subjectAltNames: [],
    exportTo: [],
    endpoints,
  };
}

const asking = proxy({ DNS_CAPTURE: "true" });

function addressesOf(services: readonly Service[], host: string): readonly string[] | undefined {
  return generateNameTables({ proxy: asking, services })[0]?.table[host]?.ips;
}

describe("names that lead to other names", () => {
  test("have the addresses of all that they lead to, each once, over circles", () => {
    const services = [
      service("a.example.com", "b.example.com", "10.0.0.1"),
      service("b.example.com", "c.example.com", "a.example.com", "10.0.0.2"),
      service("c.example.com", "10.0.0.1", "elsewhere.example.com"),
    ];
    assert.deepEqual(addressesOf(services, "a.example.com"), ["10.0.0.1", "10.0.0.2"]);
    assert.deepEqual(addressesOf(services, "c.example.com"), ["10.0.0.1"]);
  });

  test("cost no more than there are names, however they name each other", () => {
    const hosts = Array.from({ length: 40 }, (_, index) => `h${index}.example.com`);
    const services = hosts.map((host, index) => service(host, ...hosts, `10.0.0.${index + 1}`));
    // Each way through them would be longer than the world is old.
    assert.equal(addressesOf(services, "h7.example.com")?.length, 40);
  });
});

test("a proxy answers DNS where its agent reads its metadata as true, in every way that Go writes it", () => {
  for (const value of ["true", "True", "TRUE", "t", "1"]) {
    assert.equal(proxy({ DNS_CAPTURE: value }).answersDns, true, value);
    assert.equal(proxy({ ENABLE_DNS_SERVER: value }).answersDns, true, value);
  }
  for (const value of ["false", "0", "", "yes"])
    assert.equal(proxy({ DNS_CAPTURE: value }).answersDns, false, value);
});
