/** Consul's catalog as services of a mesh: what counts, what is passed over, and what a hostile answer comes to. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ServiceEntrySpec } from "../../../../../src/controlplane/config/objects.ts";
import { objectId } from "../../../../../src/controlplane/config/objects.ts";
import { buildModel } from "../../../../../src/controlplane/model/build-model.ts";
import { readCatalog } from "../../../../../src/controlplane/registry/consul/catalog.ts";
import { serviceEntries } from "../../../../../src/controlplane/registry/consul/service-entries.ts";

type Fields = Readonly<Record<string, unknown>>;

function node(services: readonly Fields[], checks: readonly Fields[] = [], more: Fields = {}): Fields {
  return { Node: "n1", Address: "10.0.0.1", Services: services, Checks: checks, ...more };
}

function service(name: string, more: Fields = {}): Fields {
  return { ID: name, Service: name, Address: "", Port: 8080, Weights: { Passing: 1, Warning: 1 }, ...more };
}

function check(id: string, status: string): Fields {
  return { CheckID: `c-${id}-${status}`, ServiceID: id, Status: status };
}

function read(...nodes: readonly unknown[]): ReturnType<typeof serviceEntries> {
  const instances = readCatalog(nodes);
  assert.ok(instances !== undefined);
  return serviceEntries(instances, "dc1");
}

/** Specifications by the objects' names. */
function specs(...nodes: readonly unknown[]): Readonly<Record<string, ServiceEntrySpec>> {
  return Object.fromEntries(
    read(...nodes).objects.flatMap((object) =>
      object.kind === "ServiceEntry" ? [[object.name, object.spec]] : [],
    ),
  );
}

function told(...nodes: readonly unknown[]): readonly string[] {
  return read(...nodes).problems.map(({ source, path, message }) => `${source}: ${path}: ${message}`);
}

/** `address weight` of every endpoint. */
function endpoints(...nodes: readonly unknown[]): readonly string[] {
  return Object.values(specs(...nodes)).flatMap((spec) =>
    (spec.endpoints ?? []).map(({ address, weight }) => `${address} ${weight}`),
  );
}

describe("Consul's catalog", () => {
  test("becomes services of the namespace default", () => {
    const meta = { protocol: "grpc", serviceAccount: "web" };
    const tags = ["version|v2", "primary"];
    assert.deepEqual(specs(node([service("Web", { Meta: meta, Tags: tags })])), {
      "consul.web.8080": {
        hosts: ["web.service.consul"],
        ports: [{ number: 8080, name: "grpc-8080", protocol: "GRPC" }],
        location: "MESH_INTERNAL",
        resolution: "STATIC",
        endpoints: [
          {
            address: "10.0.0.1",
            labels: { version: "v2" },
            weight: 1,
            locality: "dc1",
            serviceAccount: "web",
          },
        ],
      },
    });
    assert.deepEqual(told(node([service("Web", { Tags: tags })])), [
      'consul dc1/web: Tags: "primary" is not of the form key|value: it is no label',
    ]);
  });

  test("has the ports that instances have, each with those that are at it, as one service", () => {
    const { objects } = read(
      node([service("web", { ID: "a" }), service("web", { ID: "b", Port: 9090, Address: "10.0.0.2" })]),
      node([service("web", { ID: "c", Address: "fd00::3" })], [], { Node: "n2" }),
    );
    const model = buildModel(objects, { trustDomains: ["td"], rootNamespace: "istio-system" });
    assert.deepEqual(
      model.services.map(({ host, ports, endpoints: at }) => [
        host,
        ports.map(({ number }) => number),
        at.map(({ address }) => address),
      ]),
      [
        ["web.service.consul", [8080], ["10.0.0.1", "fd00::3"]],
        ["web.service.consul", [9090], ["10.0.0.2"]],
      ],
    );
  });

  test("shows instances that no check of theirs or of their node calls critical", () => {
    const here = service("web", { ID: "a", Weights: { Passing: 7, Warning: 3 } });
    assert.deepEqual(endpoints(node([here])), ["10.0.0.1 7"]);
    assert.deepEqual(endpoints(node([here], [check("a", "passing"), check("", "passing")])), ["10.0.0.1 7"]);
    assert.deepEqual(endpoints(node([here], [check("a", "warning")])), ["10.0.0.1 3"]);
    assert.deepEqual(endpoints(node([here], [check("b", "critical")])), ["10.0.0.1 7"]);
    for (const checks of [[check("a", "critical")], [check("", "critical")], [check("a", "maintenance")]])
      assert.deepEqual(endpoints(node([here], checks)), []);
    // The service stays: who calls it is told that nobody is there, and not that there is no such service.
    assert.deepEqual(Object.keys(specs(node([here], [check("a", "critical")]))), ["consul.web.8080"]);
  });

  test("has services whose names differ by a dash and an underscore side by side", () => {
    const { objects } = read(node([service("a-b"), service("a_b")]));
    assert.equal(new Set(objects.map(objectId)).size, 2);
  });

  test("passes over Consul itself, its own mesh, and what other clusters export", () => {
    const passedOver = node([service("consul"), service("web-proxy", { Kind: "connect-proxy" })]);
    const imported = node([service("far")], [], { PeerName: "elsewhere" });
    assert.deepEqual(read(passedOver, imported), { objects: [], problems: [] });
  });

  test("calls what is outside the mesh where its callers look it up", () => {
    const { "consul.pay.443": spec } = specs(
      node([service("pay", { Port: 443, Meta: { external: "true", protocol: "tls" }, Address: "pay.test" })]),
    );
    assert.deepEqual(spec, {
      hosts: ["pay.service.consul"],
      ports: [{ number: 443, name: "tls-443", protocol: "TLS" }],
      location: "MESH_EXTERNAL",
      resolution: "NONE",
    });
  });

  test("looks names up where an instance has one", () => {
    const { "consul.web.8080": spec } = specs(
      node([service("web"), service("web", { ID: "b", Address: "b.test" })]),
    );
    assert.equal(spec?.resolution, "DNS");
    assert.deepEqual(
      spec.endpoints?.map(({ address }) => address),
      ["b.test", "10.0.0.1"],
    );
  });

  test("tells what it cannot use, and serves the rest", () => {
    const well = service("well");
    const broken = [
      service("no_", {}),
      service("a.b c"),
      service("portless", { Port: 0 }),
      service("nowhere", { Address: "not an address" }),
      service("odd", { Meta: { protocol: "smtp", serviceAccount: "no such/name" } }),
    ];
    const result = read(node([...broken, well]));
    const names = result.objects.map(({ name }) => name);
    assert.deepEqual(names, ["consul.nowhere.8080", "consul.odd.8080", "consul.well.8080"]);
    assert.deepEqual(
      result.problems.map(({ source, path, severity }) => `${source} ${path} ${severity}`),
      [
        "consul dc1/a.b c Service warning",
        "consul dc1/no_ Service warning",
        "consul dc1/nowhere Address warning",
        "consul dc1/odd Meta.protocol warning",
        "consul dc1/odd Meta.serviceAccount warning",
        "consul dc1/portless Port warning",
      ],
    );
  });

  test("is bounded where a service has any number of ports, and a catalog any number of mistakes", () => {
    const many = Array.from({ length: 500 }, (_, at) => service("web", { ID: `${at}`, Port: at + 1 }));
    assert.equal(Object.keys(specs(node(many))).length, 32);
    const tags = Array.from({ length: 500 }, (_, at) => `tag${at}`);
    assert.equal(told(node([service("web", { Tags: tags })])).length, 100);
  });

  test("is no catalog when it is anything else, and nothing in it can break the reader", () => {
    for (const answer of [undefined, null, {}, "text", [1], [[]], [{}], [{ Node: 1 }]])
      assert.equal(readCatalog(answer), undefined);
    const hostile: readonly Fields[] = [
      { Node: "n", Services: "no", Checks: { a: 1 } },
      { Node: "n", Address: 5, Services: [null, 1, { Service: 5 }, { Service: "x" }], Checks: [null] },
      node([service("y", { Port: "80", Tags: [1, {}], Meta: ["a"], Weights: [] })]),
      node([service("z", { Port: 1e9, Weights: { Passing: -1 } })], [{ ServiceID: "z", Status: 5 }]),
      node([service("p", { Tags: ["__proto__|x"], Meta: JSON.parse('{"__proto__":"x"}') as object })]),
    ];
    assert.deepEqual(Object.keys(specs(...hostile)), ["consul.p.8080"]);
    assert.equal(({} as Fields)["x"], undefined);
  });
});
