/** What services, slices, pods and nodes come to. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ServiceEntrySpec } from "../../../../../src/controlplane/config/objects.ts";
import {
  keepNode,
  keepPod,
  keepService,
  keepSlice,
} from "../../../../../src/controlplane/registry/kubernetes/cluster-objects.ts";
import {
  type MadeEntry,
  protocolOf,
  ServiceEntries,
} from "../../../../../src/controlplane/registry/kubernetes/service-entries.ts";
import type { ApiObject } from "../../../../../src/controlplane/kubernetes/api.ts";
import { metaOf, type ObjectMeta } from "../../../../../src/controlplane/kubernetes/resource.ts";
import {
  clusterNode,
  clusterPod,
  clusterService,
  clusterSlice,
} from "../../../../support/cluster-objects.ts";
import type { ScriptedObject } from "../../../../support/scripted-kubernetes.ts";

interface Given {
  readonly services: readonly ScriptedObject[];
  readonly slices?: readonly ScriptedObject[];
  readonly pods?: readonly ScriptedObject[];
  readonly nodes?: readonly ScriptedObject[];
}

function kept<T>(
  objects: readonly ScriptedObject[] = [],
  keep: (object: ApiObject, meta: ObjectMeta) => T | undefined,
): readonly T[] {
  return objects.flatMap((object) => {
    const meta = metaOf({ ...object, metadata: { ...object.metadata, resourceVersion: "1" } });
    const value = meta === undefined ? undefined : keep(object, meta);
    return value === undefined ? [] : [value];
  });
}

function make({ services, slices, pods, nodes }: Given): readonly MadeEntry[] {
  const [ownPods, ownNodes] = [kept(pods, keepPod), kept(nodes, keepNode)];
  return new ServiceEntries("cluster.local").make({
    services: kept(services, keepService),
    slices: kept(slices, keepSlice),
    pod: (key) => ownPods.find(({ namespace, name }) => `${namespace}/${name}` === key),
    node: (wanted) => ownNodes.find(({ name }) => name === wanted),
  });
}

function specOf(given: Given): ServiceEntrySpec {
  const [entry] = make(given);
  assert.ok(entry?.object?.kind === "ServiceEntry", JSON.stringify(entry?.problems));
  return entry.object.spec;
}

function called(given: Given): readonly string[] {
  return (specOf(given).endpoints ?? []).map(({ address }) => address);
}

const ready = { ready: true, serving: true, terminating: false };
const ending = { ready: false, serving: true, terminating: true };
const down = { ready: false, serving: false, terminating: false };

describe("services of a cluster", () => {
  test("say by appProtocol, by the name of the port or by its number what it carries", () => {
    const rows: readonly (readonly [name: string, number: number, appProtocol: string, expected: unknown])[] =
      [
        ["http", 80, "", "HTTP"],
        ["http-web", 80, "", "HTTP"],
        ["http2-web", 80, "", "HTTP2"],
        ["grpc", 80, "", "GRPC"],
        ["grpc-web-x", 80, "", "GRPC"],
        ["https", 443, "", "HTTPS"],
        ["tcp-web", 80, "", "TCP"],
        ["mysql", 1, "", "MYSQL"],
        ["web", 80, "", undefined],
        ["httpd", 80, "", undefined],
        ["", 3306, "", "TCP"],
        ["", 80, "", undefined],
        ["tcp", 80, "http", "HTTP"],
        ["tcp", 80, "kubernetes.io/h2c", "HTTP2"],
        ["http", 80, "example.com/own", "HTTP"],
        ["", 80, "constructor", undefined],
      ];
    for (const [name, number, appProtocol, expected] of rows)
      assert.equal(protocolOf({ name, number, appProtocol }), expected, `${name} ${number} ${appProtocol}`);
  });

  test("are called at what is ready, and while nothing is at what still answers", () => {
    const at = (states: readonly (readonly [string, Record<string, boolean>])[]): readonly string[] =>
      called({
        services: [clusterService("api", { http: 80 })],
        slices: states.map(([address, conditions], index) =>
          clusterSlice("api", { http: 8080 }, [`p=${address}`], { suffix: `${index}`, conditions }),
        ),
      });
    assert.deepEqual(
      at([
        ["10.0.0.1", ready],
        ["10.0.0.2", ending],
        ["10.0.0.3", down],
      ]),
      ["10.0.0.1"],
    );
    assert.deepEqual(
      at([
        ["10.0.0.2", ending],
        ["10.0.0.3", down],
      ]),
      ["10.0.0.2"],
    );
    assert.deepEqual(at([["10.0.0.3", down]]), []);
    // What is not said is ready (API of EndpointSlice).
    assert.deepEqual(at([["10.0.0.4", {}]]), ["10.0.0.4"]);
    // In two slices for a moment.
    assert.deepEqual(
      at([
        ["10.0.0.1", ready],
        ["10.0.0.1", ready],
      ]),
      ["10.0.0.1"],
    );
  });

  test("of two families are called by their own first one", () => {
    const slices = [
      clusterSlice("api", { http: 8080 }, ["p=10.0.0.1"], { suffix: "4" }),
      clusterSlice("api", { http: 8080 }, ["p=fd00::1"], { suffix: "6", addressType: "IPv6" }),
    ];
    const both = {
      clusterIP: "fd01::1",
      clusterIPs: ["fd01::1", "10.96.0.10"],
      ipFamilies: ["IPv6", "IPv4"],
    };
    const given = { services: [clusterService("api", { http: 80 }, both)], slices };
    assert.deepEqual(called(given), ["fd00::1"]);
    assert.deepEqual(specOf(given).addresses, ["fd01::1", "10.96.0.10"]);
    assert.deepEqual(called({ services: [clusterService("api", { http: 80 })], slices }), ["10.0.0.1"]);
  });

  test("have the numbers of their slices by the names of their ports, and none of UDP", () => {
    const ports = [
      { name: "http", port: 80, targetPort: "web", protocol: "TCP" },
      { name: "dns", port: 53, protocol: "UDP" },
    ];
    const spec = specOf({
      services: [clusterService("api", {}, { ports })],
      slices: [
        clusterSlice("api", { http: 8080 }, ["a=10.0.0.1"], { suffix: "a" }),
        clusterSlice("api", { http: 9090 }, ["b=10.0.0.2"], { suffix: "b" }),
      ],
    });
    assert.deepEqual(spec.ports, [{ number: 80, name: "http", protocol: "HTTP" }]);
    assert.deepEqual(
      spec.endpoints?.map(({ address, ports: own }) => [address, own]),
      [
        ["10.0.0.1", { http: 8080 }],
        ["10.0.0.2", { http: 9090 }],
      ],
    );
    const nameless = specOf({
      services: [clusterService("api", {}, { ports: [{ port: 80, protocol: "TCP" }] })],
      slices: [clusterSlice("api", { "": 8080 }, ["a=10.0.0.1"])],
    });
    assert.deepEqual(nameless.ports, [{ number: 80, name: "port-80" }]);
    assert.deepEqual(nameless.endpoints?.[0]?.ports, { "port-80": 8080 });
  });

  test("are called with mutual TLS where the pod has a sidecar, and it is nearer by its node", () => {
    const router = { containers: [{ name: "istio-proxy", args: ["proxy", "router"] }] };
    const byHand = { containers: [{ name: "istio-proxy", args: ["proxy", "sidecar"] }] };
    const plain = (name: string, spec: object): ScriptedObject => ({
      ...clusterPod(name, "10.0.0.9", "api", { ...spec }),
      metadata: { name, namespace: "demo", labels: {} },
    });
    const of = (pod: ScriptedObject): unknown => {
      const [endpoint] =
        specOf({
          services: [clusterService("api", { http: 80 })],
          slices: [clusterSlice("api", { http: 8080 }, ["p=10.0.0.1"])],
          pods: [pod],
          nodes: [clusterNode("n1", "r1", "z1")],
        }).endpoints ?? [];
      return [endpoint?.serviceAccount, endpoint?.locality];
    };
    assert.deepEqual(of(clusterPod("p", "10.0.0.1", "api")), ["api", "r1/z1"]);
    assert.deepEqual(of(plain("p", {})), [undefined, "r1/z1"]);
    assert.deepEqual(of(plain("p", byHand)), ["api", "r1/z1"]);
    assert.deepEqual(of(plain("p", router)), [undefined, "r1/z1"]);
    const own = clusterPod("p", "10.0.0.1", "api");
    const labels = { "security.istio.io/tlsMode": "disabled", "istio-locality": "r2.z2.s2" };
    assert.deepEqual(of({ ...own, metadata: { ...own.metadata, labels } }), [undefined, "r2/z2/s2"]);
  });

  test("without an address are called at their pods, by whose names they are known", () => {
    const spec = specOf({
      services: [clusterService("db", { tcp: 5432 }, { clusterIP: "None", clusterIPs: ["None"] })],
      slices: [clusterSlice("db", { tcp: 5432 }, ["db-0=10.0.0.1"])],
    });
    assert.deepEqual([spec.addresses, spec.resolution], [[], "NONE"]);
    assert.deepEqual(
      spec.endpoints?.map(({ name }) => name),
      ["db-0"],
    );
  });

  test("that are names of others are looked up, and those that could not be are told", () => {
    const external = (externalName: string): ScriptedObject =>
      clusterService("web", { http: 80 }, { type: "ExternalName", externalName, clusterIP: undefined });
    const spec = specOf({ services: [external("Example.com.")] });
    assert.deepEqual(
      [spec.resolution, spec.location, spec.endpoints],
      ["DNS", "MESH_EXTERNAL", [{ address: "example.com" }]],
    );
    const [entry] = make({ services: [external("*")] });
    assert.equal(entry?.object, undefined);
    assert.match(entry?.problems[0]?.message ?? "", /is no name that is looked up/);
  });

  test("are the same objects where nothing changed", () => {
    const entries = new ServiceEntries("cluster.local");
    const services = kept(
      [clusterService("a", { http: 80 }), clusterService("b", { http: 80 })],
      keepService,
    );
    const slices = kept([clusterSlice("a", { http: 80 }, ["p=10.0.0.1"])], keepSlice);
    const [one, other] = kept([clusterPod("p", "10.0.0.1", "a"), clusterPod("p", "10.0.0.1", "z")], keepPod);
    const made = (pod: typeof one) =>
      entries.make({ services, slices, pod: () => pod, node: () => undefined }).map(({ object }) => object);
    const [first, again, changed] = [made(one), made(one), made(other)];
    assert.equal(first[0], again[0]);
    assert.notEqual(first[0], changed[0]);
    assert.equal(first[1], changed[1]);
  });
});
