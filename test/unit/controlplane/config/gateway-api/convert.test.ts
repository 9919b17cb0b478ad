/** What the Gateway API's objects come to beside each other: warnings with their reasons, and the status of each. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stringify } from "yaml";
import { analyze } from "../../../../../src/controlplane/config/analysis/analyze.ts";
import { convertGatewayApi } from "../../../../../src/controlplane/config/gateway-api/convert.ts";
import type { ConfigObject } from "../../../../../src/controlplane/config/objects.ts";
import { inputsOf } from "../../../../../src/ctl/analyze/inputs.ts";
import { parseDocuments } from "../../../../../src/controlplane/config/parse-documents.ts";
import { describeConfigProblem } from "../../../../../src/controlplane/config/problem.ts";

const object = (kind: string, name: string, spec: object, metadata: object = {}): object => ({
  apiVersion: `${kind === "ServiceEntry" ? "networking.istio.io" : "gateway.networking.k8s.io"}/${
    ["TLSRoute", "TCPRoute"].includes(kind) ? "v1alpha2" : kind === "ReferenceGrant" ? "v1beta1" : "v1"
  }`,
  kind,
  metadata: { name, namespace: "demo", ...metadata },
  spec,
});
const service = (name: string, namespace = "demo"): object =>
  object(
    "ServiceEntry",
    name,
    {
      hosts: [`${name}.${namespace}.svc.cluster.local`],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [{ number: 80, name: "http", protocol: "HTTP" }],
    },
    { namespace },
  );
const http = { name: "http", port: 80, protocol: "HTTP" };
const https = { name: "https", port: 443, protocol: "HTTPS" };
const exact = { "gateway.istio.io/tls-terminate-mode": "MUTUAL" };
const gateway = (...listeners: readonly object[]): object =>
  object("Gateway", "shop", { gatewayClassName: "istio", listeners });
const to = (name: string, more: object = {}): object => ({ backendRefs: [{ name, port: 80, ...more }] });
const route = (spec: object, kind = "HTTPRoute", metadata: object = {}): object =>
  object(kind, "shop", { parentRefs: [{ name: "shop" }], rules: [to("api")], ...spec }, metadata);

/** Each object is a file of its own: `0.yaml`, `1.yaml` and so on. */
function parsed(...objects: readonly object[]): readonly ConfigObject[] {
  const files = objects.map((value, index) => parseDocuments(`${index}.yaml`, stringify(value)));
  assert.deepEqual(
    files.flatMap(({ problems }) => problems),
    [],
  );
  return files.flatMap((file) => file.objects);
}

interface Row {
  readonly what: string;
  readonly objects: readonly object[];
  readonly warnings: readonly string[];
}

const rows: readonly Row[] = [
  {
    what: "nothing for a route that is attached",
    objects: [gateway(http), service("api"), route({})],
    warnings: [],
  },
  {
    what: "a route without a parent",
    objects: [service("api"), object("HTTPRoute", "shop", { rules: [to("api")] })],
    warnings: ["1.yaml:1: spec.parentRefs: names no parent: the route has no effect"],
  },
  {
    what: "a parent that is not there",
    objects: [
      service("api"),
      route({ parentRefs: [{ name: "shop" }, { group: "", kind: "Service", name: "web" }] }),
    ],
    warnings: [
      "1.yaml:1: spec.parentRefs[0]: demo/shop is no Gateway (NoMatchingParent)",
      "1.yaml:1: spec.parentRefs[1]: web.demo.svc.cluster.local is no service (NoMatchingParent)",
    ],
  },
  {
    what: "a listener or a port that the parent has not",
    objects: [
      gateway(http),
      service("api"),
      route({
        parentRefs: [
          { name: "shop", sectionName: "https" },
          { name: "shop", port: 81 },
          { group: "", kind: "Service", name: "api", port: 81 },
        ],
      }),
    ],
    warnings: [
      "2.yaml:1: spec.parentRefs[0]: Gateway demo/shop has no listener https (NoMatchingParent)",
      "2.yaml:1: spec.parentRefs[1]: Gateway demo/shop has no listener at port 81 (NoMatchingParent)",
      "2.yaml:1: spec.parentRefs[2]: api.demo.svc.cluster.local has no port 81 (NoMatchingParent)",
    ],
  },
  {
    what: "a route that no listener takes",
    objects: [
      gateway(http),
      service("api"),
      route({}, "TCPRoute"),
      route({ parentRefs: [{ name: "shop", namespace: "demo" }], rules: [] }, "HTTPRoute", {
        namespace: "other",
      }),
    ],
    warnings: [
      "3.yaml:1: spec.parentRefs[0]: no listener of Gateway demo/shop takes routes of the namespace other: see its allowedRoutes (NotAllowedByListeners)",
      "2.yaml:1: spec.parentRefs[0]: no listener of Gateway demo/shop takes a TCPRoute (NotAllowedByListeners)",
    ].toReversed(),
  },
  {
    what: "a host that no listener has",
    objects: [
      gateway({ ...http, hostname: "*.example.com" }),
      service("api"),
      route({ hostnames: ["shop.example.org"] }),
    ],
    warnings: [
      "2.yaml:1: spec.parentRefs[0]: none of its hostnames is one of a listener of Gateway demo/shop (NoMatchingListenerHostname)",
    ],
  },
  {
    what: "backends that cannot be reached",
    objects: [
      gateway(http),
      service("api"),
      service("api", "other"),
      route({
        rules: [
          to("nobody"),
          to("api", { port: 81 }),
          to("api", { namespace: "other" }),
          to("files", { group: "example.com", kind: "Bucket" }),
        ],
      }),
    ],
    warnings: [
      "3.yaml:1: spec.rules[0].backendRefs[0]: nobody.demo.svc.cluster.local is no service (BackendNotFound)",
      "3.yaml:1: spec.rules[1].backendRefs[0]: api.demo.svc.cluster.local has no port 81 (BackendNotFound)",
      "3.yaml:1: spec.rules[2].backendRefs[0]: Service other/api is not for a HTTPRoute of demo: allow it by a ReferenceGrant in other (RefNotPermitted)",
      "3.yaml:1: spec.rules[3].backendRefs[0]: Bucket files is nothing to route to: name a Service, or a Hostname of networking.istio.io (InvalidKind)",
    ],
  },
  {
    what: "a grant for another kind, namespace or name",
    objects: [
      gateway(http),
      service("api", "other"),
      object(
        "ReferenceGrant",
        "wrong",
        {
          from: [
            { group: "gateway.networking.k8s.io", kind: "GRPCRoute", namespace: "demo" },
            { group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "web" },
          ],
          to: [{ group: "", kind: "Service" }],
        },
        { namespace: "other" },
      ),
      route({ rules: [to("api", { namespace: "other" })] }),
    ],
    warnings: [
      "3.yaml:1: spec.rules[0].backendRefs[0]: Service other/api is not for a HTTPRoute of demo: allow it by a ReferenceGrant in other (RefNotPermitted)",
    ],
  },
  {
    what: "filters that are not applied",
    objects: [
      gateway(http),
      service("api"),
      route({
        rules: [
          {
            filters: [
              { type: "ExtensionRef", extensionRef: { group: "example.com", kind: "Limit", name: "slow" } },
            ],
            ...to("api", {
              filters: [{ type: "URLRewrite", urlRewrite: { hostname: "a.example.com" } }],
            }),
          },
        ],
      }),
    ],
    warnings: [
      "2.yaml:1: spec.rules[0].filters[0].extensionRef: Limit slow of example.com is no filter that this control plane knows: these requests fail (500) (UnsupportedValue)",
      "2.yaml:1: spec.rules[0].backendRefs[0].filters[0]: URLRewrite is no filter for one backend: put it into the rule; requests to this one fail (500) (UnsupportedValue)",
    ],
  },
  {
    what: "listeners that cannot be served",
    objects: [
      gateway(
        http,
        { ...http, name: "again" },
        { name: "tcp", port: 80, protocol: "TCP" },
        { name: "https", port: 443, protocol: "HTTPS", tls: { certificateRefs: [{ name: "shop" }] } },
        {
          name: "closed",
          port: 8443,
          protocol: "HTTPS",
          tls: { certificateRefs: [{ name: "shop", namespace: "other" }] },
        },
        { name: "kinds", port: 81, protocol: "HTTP", allowedRoutes: { kinds: [{ kind: "TCPRoute" }] } },
      ),
    ],
    warnings: [
      "0.yaml:1: spec.listeners[1]: http has every host on port 80 already (HostnameConflict)",
      "0.yaml:1: spec.listeners[2]: TCP does not go beside the HTTP of http on port 80 (ProtocolConflict)",
      "0.yaml:1: spec.listeners[3].tls.certificateRefs[0]: demo/shop is no Secret with a certificate and its key (InvalidCertificateRef)",
      "0.yaml:1: spec.listeners[4].tls.certificateRefs[0]: Secret other/shop is not for Gateways of demo: allow it by a ReferenceGrant in other (RefNotPermitted)",
      "0.yaml:1: spec.listeners[5].allowedRoutes.kinds[0]: TCPRoute is no kind of route for HTTP: it takes HTTPRoute, GRPCRoute (InvalidRouteKinds)",
    ],
  },
  {
    what: "listeners of protocols that are not served, beside which the others are",
    objects: [
      gateway(
        { name: "dns", port: 53, protocol: "UDP" },
        { name: "foo", port: 80, protocol: "example.com/foo", hostname: "a.example.com", tls: {} },
        { ...http, name: "small", protocol: "http" },
        http,
        { name: "https", port: 443, protocol: "HTTPS" },
        { name: "tls", port: 444, protocol: "TLS", tls: { mode: "Terminate", options: exact } },
      ),
      service("api"),
      route({}),
      route({ parentRefs: [{ name: "shop", sectionName: "dns" }] }, "TCPRoute"),
    ],
    warnings: [
      "0.yaml:1: spec.listeners[0].protocol: UDP is not served, and this listener with it: set one of HTTP, HTTPS, TLS and TCP (UnsupportedProtocol)",
      "0.yaml:1: spec.listeners[1].protocol: example.com/foo is not served, and this listener with it: set one of HTTP, HTTPS, TLS and TCP (UnsupportedProtocol)",
      "0.yaml:1: spec.listeners[2].protocol: http is not served, and this listener with it: write HTTP (UnsupportedProtocol)",
      "0.yaml:1: spec.listeners[4].tls: is missing, which TLS that ends at the gateway needs: this listener is not served (InvalidCertificateRef)",
      "0.yaml:1: spec.listeners[5].tls.certificateRefs: is missing, which TLS that ends at the gateway needs: this listener is not served (InvalidCertificateRef)",
      "3.yaml:1: spec.parentRefs[0]: no listener of Gateway demo/shop takes a TCPRoute (NotAllowedByListeners)",
    ],
  },
  {
    what: "a Gateway of another controller once, and nothing for its routes",
    objects: [
      object("Gateway", "shop", { gatewayClassName: "nginx", listeners: [http] }),
      service("api"),
      route({}),
    ],
    warnings: [
      "0.yaml:1: spec.gatewayClassName: nginx is a class of another controller: the Gateway is passed over",
    ],
  },
];

describe("a warning for", () => {
  for (const { what, objects, warnings } of rows) {
    test(what, () => {
      assert.deepEqual(analyze(parsed(...objects)).map(describeConfigProblem), warnings);
    });
  }
});

test("who refers to an object that is refused is told so, and where it is", () => {
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "shop", namespace: "demo" } };
  const texts = [
    gateway({ ...http, port: 0 }),
    route({
      parentRefs: [
        { name: "shop" },
        { group: "networking.istio.io", kind: "ServiceEntry", name: "web" },
        { name: "none" },
      ],
    }),
    { ...object("Gateway", "old", { servers: [] }), apiVersion: "networking.istio.io/v1" },
    {
      ...object("VirtualService", "old", {
        ...{ hosts: ["a.example.com"], gateways: ["old", "none"] },
        http: [{ directResponse: { status: 200 } }],
      }),
      apiVersion: "networking.istio.io/v1",
    },
    { ...object("ServiceEntry", "web", { hosts: 1 }), apiVersion: "networking.istio.io/v1" },
    object("Gateway", "tls", {
      gatewayClassName: "istio",
      listeners: [{ ...https, tls: { certificateRefs: [{ name: "shop" }] } }],
    }),
    { ...secret, data: { "tls.crt": "!", "tls.key": "!" } },
  ].map((value, index) => [`${index}.yaml`, stringify(value)] as const);
  const { problems, ownProblems } = inputsOf(new Map(texts), []);
  assert.deepEqual(
    ownProblems
      .flatMap(({ refuses = [] }) => refuses)
      .filter((id, index, all) => all.indexOf(id) === index)
      .toSorted(),
    ["Gateway demo/old", "KubernetesGateway demo/shop", "Secret demo/shop", "ServiceEntry demo/web"],
  );
  const told = problems.map(describeConfigProblem);
  for (const line of [
    "1.yaml:1: spec.parentRefs[0]: demo/shop is refused (0.yaml:10) (NoMatchingParent)",
    "1.yaml:1: spec.parentRefs[1]: demo/web is refused (4.yaml:7) (NoMatchingParent)",
    "1.yaml:1: spec.parentRefs[2]: demo/none is no Gateway (NoMatchingParent)",
    "3.yaml:1: spec.gateways[0]: demo/old is refused (2.yaml:7): nothing is routed by it",
    "3.yaml:1: spec.gateways[1]: demo/none is no Gateway: nothing is routed by it",
    "5.yaml:1: spec.listeners[0].tls.certificateRefs[0]: demo/shop is refused (6.yaml:7) (InvalidCertificateRef)",
  ])
    assert.ok(told.includes(line), `${line}\n${told.join("\n")}`);
});

describe("the status", () => {
  const { gateways, routes } = convertGatewayApi(
    parsed(
      gateway(http, { ...http, name: "again" }),
      service("api"),
      route({ parentRefs: [{ name: "shop" }, { name: "nothing" }], rules: [to("api"), to("nobody")] }),
      object("Gateway", "foreign", { gatewayClassName: "nginx", listeners: [http] }),
      object("TCPRoute", "foreign", { parentRefs: [{ name: "foreign" }], rules: [to("api")] }),
    ),
  );
  const conditions = (
    all: readonly { type: string; isTrue: boolean; reason: string }[] = [],
  ): readonly string[] => all.map(({ type, isTrue, reason }) => `${type}=${isTrue} ${reason}`);

  test("of a Gateway says what its listeners come to, and how many routes they have", () => {
    assert.deepEqual(
      gateways.map(({ object: { name }, conditions: own }) => [name, ...conditions(own)]),
      [["shop", "Accepted=true ListenersNotValid", "Programmed=true Programmed"]],
    );
    assert.deepEqual(
      gateways[0]?.listeners.map((listener) => [
        listener.name,
        listener.supportedKinds.join(),
        listener.attachedRoutes,
        ...conditions(listener.conditions),
      ]),
      [
        [
          ...["http", "HTTPRoute,GRPCRoute", 1, "Accepted=true Accepted", "Conflicted=false NoConflicts"],
          ...["ResolvedRefs=true ResolvedRefs", "Programmed=true Programmed"],
        ],
        [
          ...["again", "HTTPRoute,GRPCRoute", 0, "Accepted=false HostnameConflict"],
          ...[
            "Conflicted=true HostnameConflict",
            "ResolvedRefs=true ResolvedRefs",
            "Programmed=false Invalid",
          ],
        ],
      ],
    );
  });

  test("of a listener that is not served says why, and the others are Istio's Gateways", () => {
    const { objects, gateways: all } = convertGatewayApi(
      parsed(gateway({ name: "dns", port: 53, protocol: "UDP" }, http)),
    );
    assert.deepEqual(
      objects.map(({ kind, name }) => [kind, name]),
      [["Gateway", "shop~istio-autogenerated-k8s-gateway~http"]],
    );
    assert.deepEqual(
      all.flatMap(({ listeners }) => listeners.map((listener) => conditions(listener.conditions))),
      [
        [
          ...["Accepted=false UnsupportedProtocol", "Conflicted=false NoConflicts"],
          ...["ResolvedRefs=true ResolvedRefs", "Programmed=false Invalid"],
        ],
        [
          ...["Accepted=true Accepted", "Conflicted=false NoConflicts"],
          ...["ResolvedRefs=true ResolvedRefs", "Programmed=true Programmed"],
        ],
      ],
    );
    assert.deepEqual(
      all.map(({ conditions: own }) => conditions(own)),
      [["Accepted=true ListenersNotValid", "Programmed=true Programmed"]],
    );
  });

  test("of a route is there for each parent that is this control plane's to judge", () => {
    assert.deepEqual(
      routes.map(({ object: { kind }, parents }) => [
        kind,
        ...parents.map((parent) => [parent.parentRef.name, ...conditions(parent.conditions)]),
      ]),
      [
        ["TCPRoute"],
        [
          "HTTPRoute",
          ["shop", "Accepted=true Accepted", "ResolvedRefs=false BackendNotFound"],
          ["nothing", "Accepted=false NoMatchingParent", "ResolvedRefs=true ResolvedRefs"],
        ],
      ],
    );
  });
});
