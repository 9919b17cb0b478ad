/** What several objects have of one host is one service where they say the same of it, and the older one's where not. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ConfigObject, ServiceEntrySpec } from "../../../../src/controlplane/config/objects.ts";
import { ModelBuilder } from "../../../../src/controlplane/model/build-model.ts";
import { portOf, type Service } from "../../../../src/controlplane/model/model.ts";

type Entry = Extract<ConfigObject, { kind: "ServiceEntry" }>;

function entry(name: string, address: string, more: Partial<ServiceEntrySpec> = {}): Entry {
  return {
    ...{ kind: "ServiceEntry", name, namespace: "demo", source: `${name}.yaml`, line: 1 },
    spec: {
      hosts: ["api.example"],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [{ number: 80, name: "http", protocol: "HTTP" }],
      endpoints: [{ address }],
      ...more,
    },
  };
}

const settings = { trustDomains: ["cluster.local"], rootNamespace: "istio-system" };
const servicesOf = (...objects: readonly Entry[]): readonly Service[] =>
  new ModelBuilder(settings).build(objects).services;

/** Where each service is called: `address:port` of each endpoint and port. */
const called = (services: readonly Service[]): readonly string[] =>
  services.map(({ endpoints, ports }) =>
    endpoints.flatMap((each) => ports.map((port) => `${each.address}:${portOf(each, port)}`)).join(" "),
  );

describe("services of one host", () => {
  test("are one with the endpoints and addresses of all, each at its own ports", () => {
    const [service, ...others] = servicesOf(
      entry("a", "10.0.0.1", {
        addresses: ["10.96.0.1"],
        ports: [
          { number: 80, name: "http", protocol: "HTTP", targetPort: 8_080 },
          { number: 9_000, name: "tcp", protocol: "TCP" },
        ],
      }),
      entry("b", "10.0.0.2", {
        addresses: ["10.96.0.2"],
        ports: [
          { number: 9_000, name: "bytes", protocol: "TCP" },
          { number: 80, name: "web", protocol: "HTTP", targetPort: 8_081 },
        ],
        endpoints: [{ address: "10.0.0.2", ports: { bytes: 9_001 } }],
      }),
    );
    assert.deepEqual(others, []);
    assert.deepEqual(service?.addresses, ["10.96.0.1", "10.96.0.2"]);
    assert.deepEqual(
      service?.ports.map(({ name }) => name),
      ["http", "tcp"],
    );
    assert.deepEqual(called(service === undefined ? [] : [service]), [
      "10.0.0.1:8080 10.0.0.1:9000 10.0.0.2:8081 10.0.0.2:9001",
    ]);
  });

  test("have what several have of it once, as the oldest has it", () => {
    const endpoint = { address: "10.0.0.1" };
    const [service] = servicesOf(
      entry("a", "", { endpoints: [{ ...endpoint, serviceAccount: "api" }] }),
      entry("b", "", { endpoints: [endpoint, { address: "10.0.0.2" }, { address: "10.0.0.2" }] }),
    );
    assert.deepEqual(
      service?.endpoints.map(({ address, serviceAccount }) => `${address} ${serviceAccount}`),
      ["10.0.0.1 api", "10.0.0.2 "],
    );
  });

  const apart: readonly (readonly [what: string, more: Partial<ServiceEntrySpec>])[] = [
    ["another protocol", { ports: [{ number: 80, name: "tcp", protocol: "TCP" }] }],
    [
      "another port beside the same",
      { ports: [...entry("a", "").spec.ports, { number: 81, name: "b", protocol: "HTTP" }] },
    ],
    ["another resolution", { resolution: "DNS" }],
    ["another location", { location: "MESH_EXTERNAL" }],
    ["another exportTo", { exportTo: ["."] }],
    ["other names in certificates", { subjectAltNames: ["api.example"] }],
  ];
  for (const [what, more] of apart) {
    test(`stay apart with ${what}`, () => {
      const services = servicesOf(entry("a", "10.0.0.1"), entry("b", "10.0.0.2", more));
      assert.equal(services.length, 2);
      assert.equal(services[0]?.endpoints.length, 1);
    });
  }

  test("are not joined where a name is looked up for want of endpoints", () => {
    const byName = { resolution: "DNS", endpoints: [] } as const;
    assert.deepEqual(
      called(
        servicesOf(
          entry("a", "", byName),
          entry("b", "", { ...byName, endpoints: [{ address: "b.example" }] }),
        ),
      ),
      ["api.example:80", "b.example:80"],
    );
  });

  test("of different ports stand side by side, and each other one joins its own", () => {
    const at = (number: number) => ({ ports: [{ number, name: "http", protocol: "HTTP" }] }) as const;
    const services = servicesOf(
      entry("a", "10.0.0.1", at(80)),
      entry("b", "10.0.0.2", at(81)),
      entry("c", "10.0.0.3", at(81)),
    );
    assert.deepEqual(called(services), ["10.0.0.1:80", "10.0.0.2:81 10.0.0.3:81"]);
  });

  test("are the same object for as long as nothing of them changes", () => {
    const builder = new ModelBuilder(settings);
    const parts = [entry("a", "10.0.0.1"), entry("b", "10.0.0.2")];
    const other = entry("c", "10.0.0.3", { hosts: ["other.example"] });
    const [first] = builder.build(parts).services;
    assert.equal(builder.build([...parts, other]).services[0], first);
    const [changed] = builder.build([...parts.slice(0, 1), entry("b", "10.0.0.4")]).services;
    assert.deepEqual(called(changed === undefined ? [] : [changed]), ["10.0.0.1:80 10.0.0.4:80"]);
  });
});
