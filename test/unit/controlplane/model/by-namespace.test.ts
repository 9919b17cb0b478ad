import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { byNamespace, servicesOf } from "../../../../src/controlplane/model/by-namespace.ts";
import type { Service } from "../../../../src/controlplane/model/model.ts";

function service(host: string, namespace: string, ...addresses: readonly string[]): Service {
  return {
    ...{ host, namespace, addresses: [], ports: [], resolution: "STATIC", isExternal: false },
    ...{ subjectAltNames: [], exportTo: [] },
    endpoints: addresses.map((address) => ({
      ...{ address, ports: {}, labels: {}, locality: "", serviceAccount: "", namespace },
      ...{ weight: 1, isHealthy: true },
    })),
  };
}

const all = [
  service("b", "shop", "10.0.0.1"),
  service("a", "demo", "10.0.0.1", "10.0.0.2", "10.0.0.1"),
  service("b", "demo", "10.0.0.2"),
  service("c", "demo"),
];
const hostsOf = (services: readonly Service[]): string =>
  services.map(({ host, namespace }) => `${host}.${namespace}`).join();

describe("the services of a model", () => {
  test("are found by namespace, in the order of the list", () => {
    const index = byNamespace(all);
    assert.equal(hostsOf(index.of("demo")), "a.demo,b.demo,c.demo");
    assert.equal(hostsOf(index.of("none")), "");
    assert.deepEqual(index.placesOf("demo"), [1, 2, 3]);
    assert.equal(byNamespace(all), index, "the index is made once for a list");
  });

  test("are found by host, in any namespace", () => {
    const index = servicesOf(all);
    assert.equal(hostsOf(index.at(index.placesOfHost("b"))), "b.shop,b.demo");
    assert.deepEqual(index.placesOfHost("none"), []);
  });

  test("are found by the addresses of their endpoints, each once, in their own namespace only", () => {
    const index = servicesOf(all);
    assert.equal(hostsOf(index.atAddresses("demo", ["10.0.0.1"])), "a.demo");
    assert.equal(hostsOf(index.atAddresses("demo", ["10.0.0.2", "10.0.0.1"])), "a.demo,b.demo");
    assert.equal(hostsOf(index.atAddresses("demo", ["10.0.0.9", "10.0.0.2"])), "a.demo,b.demo");
    assert.equal(hostsOf(index.atAddresses("shop", ["10.0.0.2"])), "");
    assert.equal(hostsOf(index.atAddresses("shop", [])), "");
  });
});
