/** What is valid by itself and has no effect beside the others is told with both places, whatever files are called. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stringify } from "yaml";
import { analyze } from "../../../../src/controlplane/config/analysis/analyze.ts";
import { parseDocuments } from "../../../../src/controlplane/config/parse-documents.ts";
import { describeConfigProblem } from "../../../../src/controlplane/config/problem.ts";

const groups: Readonly<Record<string, string>> = { PeerAuthentication: "security", Telemetry: "telemetry" };

const object =
  (kind: string) =>
  (name: string, spec: object, metadata: object = {}): object => ({
    apiVersion: `${groups[kind] ?? "networking"}.istio.io/v1`,
    kind,
    metadata: { name, namespace: "demo", ...metadata },
    spec,
  });
const service = (name: string, more: object = {}, metadata: object = {}): object =>
  object("ServiceEntry")(
    name,
    {
      hosts: ["api.demo.svc.cluster.local"],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [{ number: 80, name: "http", protocol: "HTTP" }],
      ...more,
    },
    metadata,
  );
const virtualService = object("VirtualService");
const destinationRule = object("DestinationRule");
const gateway = (
  name: string,
  servers: readonly (readonly [protocol: string, port: number, hosts: readonly string[]])[],
  metadata: object = {},
): object =>
  object("Gateway")(
    name,
    {
      servers: servers.map(([protocol, number, hosts], index) => ({
        port: { number, name: `p${index}`, protocol },
        hosts,
        ...(["TLS", "HTTPS"].includes(protocol) ? { tls: { mode: "ISTIO_MUTUAL" } } : {}),
      })),
    },
    metadata,
  );
const peerAuthentication = object("PeerAuthentication");
const sidecar = object("Sidecar");
const telemetry = object("Telemetry");
const meshConfig = (value: object): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "istio", namespace: "istio-system" },
  data: { mesh: stringify(value) },
});
const to = (host: string, subset?: string): object => ({ route: [{ destination: { host, subset } }] });

/** Each object is a file of its own: `0.yaml`, `1.yaml` and so on. */
function warningsOf(...objects: readonly object[]): readonly string[] {
  const parsed = objects.map((value, index) => parseDocuments(`${index}.yaml`, stringify(value)));
  assert.deepEqual(
    parsed.flatMap(({ problems }) => problems),
    [],
  );
  const warnings = analyze(parsed.flatMap((file) => file.objects));
  assert.ok(warnings.every(({ severity }) => severity === "warning"));
  return warnings.map(describeConfigProblem);
}

describe("a warning for", () => {
  const older = { creationTimestamp: "2026-01-01T00:00:00Z" };
  const younger = { creationTimestamp: "2026-02-01T00:00:00Z" };
  const rows: readonly (readonly [
    what: string,
    objects: readonly object[],
    ...warnings: readonly string[],
  ])[] = [
    [
      "nothing, of a mesh in order",
      [service("api"), virtualService("api", { hosts: ["api"], http: [to("api")] })],
    ],
    [
      "a port of a host that an older service has, in capitals or not",
      [
        service(
          "a",
          { hosts: ["API.demo.svc.cluster.local"], ports: [{ number: 80, name: "tcp", protocol: "TCP" }] },
          younger,
        ),
        service("b", { addresses: ["10.96.0.1"] }, older),
      ],
      "0.yaml:1: spec.ports[0].number: API.demo.svc.cluster.local has the port 80 already (1.yaml:1), which is older: this one has no effect, as its ports and their protocols are not the same",
      "0.yaml:1: spec.ports[0].protocol: 80 is for HTTP already (1.yaml:1), which is older: captured calls of this TCP port are not routed to the service: give it an address, or another port",
    ],
    [
      "a port of a host that an older service has, which is looked up",
      [service("a", { resolution: "NONE" }, younger), service("b", { resolution: "NONE" }, older)],
      "0.yaml:1: spec.ports[0].number: api.demo.svc.cluster.local has the port 80 already (1.yaml:1), which is older: this one has no effect, as one of them has no endpoints that could be joined",
    ],
    [
      "nothing, for what is one service with the endpoints of both",
      [
        service("a", { addresses: ["10.96.0.1"], endpoints: [{ address: "10.0.0.1" }] }),
        service("b", { addresses: ["10.96.0.1"], endpoints: [{ address: "10.0.0.2" }] }),
      ],
    ],
    [
      "nothing, for another port of the host",
      [service("a"), service("b", { ports: [{ number: 81, name: "http" }] })],
    ],
    [
      "protocols that exclude each other on every address of a port",
      [
        service("api"),
        service("db", {
          hosts: ["db.demo"],
          ports: [
            { number: 80, name: "tcp", protocol: "TCP" },
            { number: 443, name: "tls", protocol: "TLS" },
            { number: 8080, name: "any" },
          ],
        }),
        service("old", {
          hosts: ["old.demo"],
          addresses: ["10.0.0.1"],
          ports: [{ number: 80, name: "t", protocol: "TCP" }],
        }),
        service("web", {
          hosts: ["web.demo"],
          ports: [
            { number: 443, name: "http", protocol: "HTTP" },
            { number: 8080, name: "http-2", protocol: "HTTP2" },
          ],
        }),
      ],
      "1.yaml:1: spec.ports[0].protocol: 80 is for HTTP already (0.yaml:1), which is older: captured calls of this TCP port are not routed to the service: give it an address, or another port",
      "3.yaml:1: spec.ports[0].protocol: 443 is for TLS already (1.yaml:1), which is older: captured calls of this HTTP port are not routed to the service: give it an address, or another port",
    ],
    [
      "a port of the sidecar's own, unless an address of its own tells it apart",
      [
        service("a", {
          ports: [{ number: 15_006, name: "http", protocol: "HTTP" }],
          addresses: ["10.96.0.1"],
        }),
        service("b", {
          hosts: ["b.example.com"],
          ports: [
            { number: 15_001, name: "tcp", protocol: "TCP" },
            { number: 15_090, name: "auto" },
          ],
          addresses: ["10.96.0.2"],
        }),
        service("c", {
          hosts: ["c.example.com"],
          ports: [{ number: 15_001, name: "tcp", protocol: "TCP" }],
          addresses: ["10.97.0.0/16"],
        }),
      ],
      "0.yaml:1: spec.ports[0].number: 15006 is a port of every sidecar's own: captured calls of it are not routed",
      "2.yaml:1: spec.ports[0].number: 15001 is a port of every sidecar's own: captured calls of it are not routed",
    ],
    [
      "a host of another namespace",
      [service("a"), service("b", {}, { namespace: "shop" })],
      "1.yaml:1: spec.hosts[0]: api.demo.svc.cluster.local is a service of the namespace demo already (0.yaml:1), which is older: this one has no effect",
    ],
    [
      "nothing, where nobody sees both",
      [service("a", { exportTo: ["."] }), service("b", { exportTo: ["."] }, { namespace: "shop" })],
    ],
    [
      "a host of another namespace, where one namespace sees both",
      [service("a", { exportTo: ["."] }), service("b", {}, { namespace: "shop" })],
      "1.yaml:1: spec.hosts[0]: api.demo.svc.cluster.local is a service of the namespace demo already (0.yaml:1), which is older: this one has no effect in demo",
    ],
    [
      "a host of another namespace that all see, and only its own the younger one",
      [service("a"), service("b", { exportTo: ["."] }, { namespace: "shop" })],
      "1.yaml:1: spec.hosts[0]: api.demo.svc.cluster.local is a service of the namespace demo already (0.yaml:1), which is older: this one has no effect",
    ],
    [
      "a second rule, where one namespace sees both",
      [
        service("api"),
        virtualService("a", { hosts: ["api.demo.svc.cluster.local"], exportTo: ["."], http: [to("api")] }),
        virtualService(
          "b",
          { hosts: ["api.demo.svc.cluster.local"], http: [to("api.demo.svc.cluster.local")] },
          { namespace: "shop" },
        ),
      ],
      "2.yaml:1: spec.hosts[0]: api.demo.svc.cluster.local has the rule of 1.yaml:1 already, which is older: this one has no effect in demo",
    ],
    [
      "a mirror that is nowhere",
      [
        service("api"),
        virtualService("a", {
          hosts: ["api"],
          http: [{ ...to("api"), mirrors: [{ destination: { host: "none" } }] }],
        }),
      ],
      "1.yaml:1: spec.http[0].mirrors[0].destination.host: none.demo.svc.cluster.local is no service: what is sent there fails (503)",
    ],
    [
      "an address that an older service has",
      [
        service("a", { addresses: ["10.96.0.1"] }),
        service("b", { hosts: ["b.demo"], addresses: ["10.96.0.1"] }),
      ],
      "1.yaml:1: spec.addresses[0]: the port 80 of 10.96.0.1 is another service's (0.yaml:1), which is older: who calls the address gets that one",
    ],
    [
      "an identity outside the mesh",
      [service("a", { location: undefined, endpoints: [{ address: "10.0.0.1", serviceAccount: "api" }] })],
      "0.yaml:1: spec.location: is MESH_EXTERNAL, so that endpoints with a serviceAccount are called in plain text all the same: say MESH_INTERNAL for mutual TLS",
    ],
    [
      "a second rule for a host, by whatever name",
      [
        service("api"),
        virtualService("b", { hosts: ["api"], http: [to("api")] }),
        virtualService("a", { hosts: ["api.demo.svc.cluster.local"], http: [to("api")] }),
      ],
      "1.yaml:1: spec.hosts[0]: api.demo.svc.cluster.local has the rule of 2.yaml:1 already, which is older: this one has no effect",
    ],
    [
      "a host and a subset that are nowhere",
      [
        service("api"),
        virtualService("a", {
          hosts: ["api"],
          http: [to("api", "v1"), { ...to("none"), match: [{ uri: { prefix: "/none" } }] }].toReversed(),
        }),
      ],
      "1.yaml:1: spec.http[0].route[0].destination.host: none.demo.svc.cluster.local is no service: what is sent there fails (503)",
      "1.yaml:1: spec.http[1].route[0].destination.subset: v1 of api.demo.svc.cluster.local is in no DestinationRule: what is sent there fails (503)",
    ],
    [
      "delegates that are not there, not seen, not asked for, and routes of theirs that are never taken",
      [
        service("api"),
        virtualService("root", {
          hosts: ["api"],
          http: [
            { match: [{ uri: { prefix: "/a" } }], delegate: { name: "a" } },
            { match: [{ uri: { prefix: "/b" } }], delegate: { name: "b", namespace: "shop" } },
            { delegate: { name: "root" } },
          ],
        }),
        virtualService("a", {
          http: [{ match: [{ uri: { prefix: "/b" } }], ...to("api") }, to("api")],
        }),
        virtualService(
          "b",
          { exportTo: ["."], http: [to("api.demo.svc.cluster.local")] },
          { namespace: "shop" },
        ),
        virtualService("c", { http: [to("api")] }),
      ],
      "2.yaml:1: spec.http[0].match: is not within what 1.yaml:1 asks for, which delegates to it: this route is never taken there",
      "1.yaml:1: spec.http[1].delegate: shop/b (3.yaml:1) is not exported to demo",
      "1.yaml:1: spec.http[2].delegate: demo/root is no VirtualService without hosts: nothing is routed by it",
      "4.yaml:1: spec.hosts: is empty, and no VirtualService delegates to this one: it has no effect",
    ],
    [
      "a second policy and a second subset of a host",
      ["a", "b"].map((name) =>
        destinationRule(name, { host: "api", trafficPolicy: {}, subsets: [{ name: "v1" }] }),
      ),
      "1.yaml:1: spec.trafficPolicy: of 0.yaml:1 counts for api, which is older: this one has no effect",
      "1.yaml:1: spec.subsets[0].name: v1 of 0.yaml:1 counts, which is older: this one has no effect",
    ],
    [
      "a PeerAuthentication that selects in the root namespace, and a second one for all",
      [
        peerAuthentication("a", { selector: { matchLabels: { app: "a" } } }, { namespace: "istio-system" }),
        peerAuthentication("b", {}),
        peerAuthentication("c", { selector: {} }),
      ],
      "2.yaml:1: spec.selector: 1.yaml:1 is for all workloads of demo already, which is older: this one has no effect",
      "0.yaml:1: spec.selector: has no effect in istio-system: put the policy into the namespace of the workloads",
    ],
    [
      "a rule for a Gateway that is not there",
      [
        service("api"),
        gateway("shop", [["HTTP", 80, ["*"]]]),
        virtualService("a", {
          hosts: ["shop.example.com"],
          gateways: ["mesh", "shop", "demo/shop", "shop/shop", "none"],
          http: [to("api")],
        }),
      ],
      "2.yaml:1: spec.gateways[3]: shop/shop is no Gateway: nothing is routed by it",
      "2.yaml:1: spec.gateways[4]: demo/none is no Gateway: nothing is routed by it",
    ],
    [
      "a Secret that is not there",
      [
        object("Gateway")("shop", {
          servers: [
            {
              port: { number: 443, name: "https", protocol: "HTTPS" },
              hosts: ["*"],
              tls: { mode: "SIMPLE", credentialName: "shop" },
            },
          ],
        }),
      ],
      "0.yaml:1: spec.servers[0].tls.credentialName: shop is no Secret with certificates: the server waits for it, with all others of its port",
    ],
    [
      "servers of Gateways for the same workloads that exclude each other",
      [
        gateway(
          "a",
          [
            ["HTTP", 80, ["*"]],
            ["HTTPS", 443, ["a.example.com", "b.example.com"]],
            ["TCP", 9000, ["*"]],
            ["HTTP", 15_021, ["*"]],
          ],
          older,
        ),
        gateway("b", [
          ["HTTP2", 80, ["*"]],
          ["TCP", 80, ["*"]],
          ["TLS", 443, ["c.example.com", "b.example.com"]],
          ["HTTPS", 443, ["c.example.com"]],
          ["TCP", 9000, ["*"]],
        ]),
      ],
      "0.yaml:1: spec.servers[3].port.number: 15021 is a port of every gateway's own: nothing of this server is there",
      "1.yaml:1: spec.servers[1].port: 80 is for plain HTTP already (0.yaml:1), which is older: this server has no effect",
      "1.yaml:1: spec.servers[2].hosts: b.example.com has a server already (0.yaml:1), which is older: this one has no effect",
      "1.yaml:1: spec.servers[4].port: 9000 is for connections already (0.yaml:1), which is older: this server has no effect",
    ],
    [
      "a second Sidecar for all",
      ["a", "b"].map((name) => sidecar(name, { egress: [{ hosts: ["./*"] }] })),
      "1.yaml:1: spec.workloadSelector: 0.yaml:1 is for all workloads of demo already, which is older: this one has no effect",
    ],
    [
      "a second Telemetry for all, and providers that are not there or take nothing of the kind",
      [
        meshConfig({
          extensionProviders: [{ name: "zipkin", zipkin: { service: "zipkin.example.com", port: 9411 } }],
        }),
        telemetry("a", {
          accessLogging: [{ providers: [{ name: "envoy" }, { name: "zipkin" }] }],
          tracing: [{ providers: [{ name: "otel" }] }],
        }),
        telemetry("b", { accessLogging: [{ disabled: true }] }),
        telemetry("c", {
          selector: { matchLabels: { app: "api" } },
          tracing: [{ providers: [{ name: "zipkin" }] }],
        }),
      ],
      "1.yaml:1: spec.tracing[0].providers[0].name: otel is no extension provider of the mesh: nothing is told to it",
      "1.yaml:1: spec.accessLogging[0].providers[1].name: zipkin takes no logs: nothing is told to it",
      "0.yaml:8: extensionProviders[0].zipkin.service: zipkin.example.com is no service of the mesh: the provider is left out",
      "2.yaml:1: spec.selector: 1.yaml:1 is for all workloads of demo already, which is older: this one has no effect",
    ],
    [
      "a policy for a Gateway that is not in its namespace",
      [
        object("Telemetry")("a", {
          targetRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "edge" }],
        }),
      ],
      "0.yaml:1: spec.targetRefs[0].name: demo has no Gateway edge of gateway.networking.k8s.io: it is for none",
    ],
  ];
  for (const [what, objects, ...warnings] of rows)
    test(what, () => {
      assert.deepEqual(warningsOf(...objects), warnings);
    });
});
