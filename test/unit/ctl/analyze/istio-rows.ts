/** Inputs that bring about Istio's messages of its own objects, and such that do not. */
export interface IstioRow {
  readonly code: string;
  readonly what: string;
  readonly bad: readonly object[];
  readonly good: readonly object[];
  /** Where it is told; the level where it is not Istio's, as the object is refused. */
  readonly at: { readonly object: string; readonly path: string; readonly level?: string };
}

const groups: Readonly<Record<string, string>> = {
  ...{ PeerAuthentication: "security", RequestAuthentication: "security", AuthorizationPolicy: "security" },
  Telemetry: "telemetry",
};

const object =
  (kind: string) =>
  (name: string, spec: object, metadata: object = {}): object => ({
    apiVersion: `${groups[kind] ?? "networking"}.istio.io/${kind === "EnvoyFilter" ? "v1alpha3" : "v1"}`,
    kind,
    metadata: { name, namespace: "demo", ...metadata },
    spec,
  });

const http = { number: 80, name: "http", protocol: "HTTP" };
const service = (name: string, more: object = {}): object =>
  object("ServiceEntry")(name, {
    hosts: [`${name}.demo.svc.cluster.local`],
    ...{ location: "MESH_INTERNAL", resolution: "STATIC", ports: [http] },
    ...more,
  });
const api = service("api");
const virtualService = object("VirtualService");
const destinationRule = object("DestinationRule");
const to = (host: string, more: object = {}): object => ({ route: [{ destination: { host, ...more } }] });
const rule = (...routes: readonly object[]): object =>
  virtualService("rule", { hosts: ["api"], http: routes });
const gateway = (name: string, server: object, more: object = {}): object =>
  object("Gateway")(name, {
    ...{ selector: { istio: "edge" }, servers: [{ port: http, hosts: ["*"], ...server }] },
    ...more,
  });
const tls = { port: { number: 443, name: "https", protocol: "HTTPS" } };
const workload = (labels: object): object =>
  object("WorkloadEntry")("api-1", { address: "10.0.0.1", labels });
const sidecar = (name: string, app: string): object =>
  object("Sidecar")(name, { workloadSelector: { labels: { app } }, egress: [{ hosts: ["*/*"] }] });
const telemetry = (name: string, spec: object): object => object("Telemetry")(name, spec);
const meshConfig = (value: object): object => ({
  ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "istio", namespace: "istio-system" } },
  data: { mesh: JSON.stringify(value) },
});
const patches = (spec: object, applyTo: string, operation: string, more: object = {}): object =>
  object("EnvoyFilter")("patches", {
    ...spec,
    configPatches: [
      {
        applyTo,
        ...more,
        patch: { operation, ...(operation === "REMOVE" ? {} : { value: { name: "it" } }) },
      },
    ],
  });
const inDemo = (
  kind: string,
  path: string,
  name = "rule",
): { readonly object: string; readonly path: string } => ({
  object: `${kind} demo/${name}`,
  path,
});

/** One a code. */
export const istioRows: readonly IstioRow[] = [
  {
    ...{ code: "IST0002", what: "a field that goes away" },
    bad: [api, rule({ fault: { delay: { percent: 5, fixedDelay: "1s" } }, ...to("api") })],
    good: [api, rule({ fault: { delay: { percentage: { value: 5 }, fixedDelay: "1s" } }, ...to("api") })],
    at: inDemo("VirtualService", "spec.http[0].fault.delay.percent"),
  },
  {
    ...{ code: "IST0101", what: "a Gateway that is not there" },
    bad: [api, virtualService("rule", { hosts: ["a.example.com"], gateways: ["edge"], http: [to("api")] })],
    good: [
      api,
      gateway("edge", {}),
      virtualService("rule", { hosts: ["a.example.com"], gateways: ["edge"], http: [to("api")] }),
    ],
    at: inDemo("VirtualService", "spec.gateways[0]"),
  },
  {
    ...{ code: "IST0106", what: "a value that the schema does not take" },
    bad: [api, rule({ ...to("api"), timeout: "soon" })],
    good: [api, rule({ ...to("api"), timeout: "1s" })],
    at: inDemo("VirtualService", "spec.http[0].timeout"),
  },
  {
    ...{ code: "IST0109", what: "two rules for a host of the mesh" },
    bad: [api, rule(to("api")), virtualService("zz", { hosts: ["api"], http: [to("api")] })],
    good: [api, rule(to("api"))],
    at: inDemo("VirtualService", "spec.hosts[0]", "zz"),
  },
  {
    ...{ code: "IST0110", what: "two Sidecars of one workload" },
    bad: [workload({ app: "api" }), sidecar("a", "api"), sidecar("b", "api")],
    good: [workload({ app: "api" }), sidecar("a", "api")],
    at: inDemo("Sidecar", "spec.workloadSelector", "b"),
  },
  {
    ...{ code: "IST0111", what: "two Sidecars for all of a namespace" },
    bad: [
      object("Sidecar")("a", { egress: [{ hosts: ["*/*"] }] }),
      object("Sidecar")("b", { egress: [{ hosts: ["*/*"] }] }),
    ],
    good: [object("Sidecar")("a", { egress: [{ hosts: ["*/*"] }] })],
    at: inDemo("Sidecar", "spec.workloadSelector", "b"),
  },
  {
    ...{ code: "IST0112", what: "a destination of several ports that names none" },
    bad: [service("api", { ports: [http, { ...http, number: 81, name: "other" }] }), rule(to("api"))],
    good: [
      service("api", { ports: [http, { ...http, number: 81, name: "other" }] }),
      rule(to("api", { port: { number: 81 } })),
    ],
    at: inDemo("VirtualService", "spec.http[0].route[0].destination.port"),
  },
  {
    ...{ code: "IST0113", what: "plain text for a server that is STRICT" },
    bad: [
      api,
      object("PeerAuthentication")("strict", { mtls: { mode: "STRICT" } }, { namespace: "istio-system" }),
      destinationRule("rule", { host: "api", trafficPolicy: { tls: { mode: "DISABLE" } } }),
    ],
    good: [
      api,
      object("PeerAuthentication")("strict", { mtls: { mode: "STRICT" } }),
      destinationRule("rule", { host: "api", trafficPolicy: { tls: { mode: "ISTIO_MUTUAL" } } }),
    ],
    at: inDemo("DestinationRule", "spec.trafficPolicy.tls.mode"),
  },
  {
    ...{ code: "IST0122", what: "an expression that is none" },
    bad: [api, rule({ match: [{ uri: { regex: "(a" } }], ...to("api") })],
    good: [api, rule({ match: [{ uri: { regex: "(a)" } }], ...to("api") })],
    at: { ...inDemo("VirtualService", "spec.http[0].match[0].uri.regex"), level: "Error" },
  },
  {
    ...{ code: "IST0127", what: "a policy that selects nobody" },
    bad: [
      workload({ app: "api" }),
      object("AuthorizationPolicy")("rule", { selector: { matchLabels: { app: "cart" } } }),
    ],
    good: [
      workload({ app: "api" }),
      object("AuthorizationPolicy")("rule", { selector: { matchLabels: { app: "api" } } }),
      object("WorkloadGroup")("machines", { metadata: { labels: { app: "vm" } }, template: {} }),
      object("AuthorizationPolicy")("machines", { selector: { matchLabels: { app: "vm" } } }),
    ],
    at: inDemo("AuthorizationPolicy", "spec.selector"),
  },
  {
    ...{ code: "IST0128", what: "TLS that proves nobody" },
    bad: [destinationRule("rule", { host: "a.example.com", trafficPolicy: { tls: { mode: "SIMPLE" } } })],
    good: [
      destinationRule("rule", {
        host: "a.example.com",
        trafficPolicy: { tls: { mode: "SIMPLE", caCertificates: "/etc/ssl/roots.pem" } },
      }),
    ],
    at: inDemo("DestinationRule", "spec.trafficPolicy.tls"),
  },
  {
    ...{ code: "IST0129", what: "the same at one port" },
    bad: [
      destinationRule("rule", {
        host: "a.example.com",
        trafficPolicy: { portLevelSettings: [{ port: { number: 443 }, tls: { mode: "SIMPLE" } }] },
      }),
    ],
    good: [
      destinationRule("rule", {
        host: "a.example.com",
        trafficPolicy: { portLevelSettings: [{ port: { number: 443 }, tls: { mode: "DISABLE" } }] },
      }),
    ],
    at: inDemo("DestinationRule", "spec.trafficPolicy.portLevelSettings[0].tls"),
  },
  {
    ...{ code: "IST0130", what: "a route whose matches are all taken" },
    bad: [
      api,
      rule(
        { match: [{ uri: { prefix: "/a" }, port: 80 }], ...to("api") },
        { match: [{ port: 80, uri: { prefix: "/a" } }], ...to("api") },
      ),
    ],
    good: [
      api,
      rule(
        { match: [{ uri: { prefix: "/a" } }], ...to("api") },
        { match: [{ uri: { prefix: "/b" } }], ...to("api") },
      ),
    ],
    at: inDemo("VirtualService", "spec.http[1]"),
  },
  {
    ...{ code: "IST0131", what: "a match that a route before has" },
    bad: [
      api,
      rule(
        { match: [{ uri: { prefix: "/a" } }], ...to("api") },
        { match: [{ uri: { prefix: "/b" } }, { name: "again", uri: { prefix: "/a" } }], ...to("api") },
      ),
    ],
    good: [
      api,
      rule(
        { match: [{ uri: { prefix: "/a" } }], ...to("api") },
        { match: [{ uri: { prefix: "/b" } }, { uri: { exact: "/a" } }], ...to("api") },
      ),
    ],
    at: inDemo("VirtualService", "spec.http[1].match[1]"),
  },
  {
    ...{ code: "IST0132", what: "a host that its Gateway has not" },
    bad: [
      api,
      gateway("edge", { hosts: ["other/*", "./b.example.com"] }),
      virtualService("rule", { hosts: ["a.example.com"], gateways: ["edge"], http: [to("api")] }),
    ],
    good: [
      api,
      gateway("edge", { hosts: ["demo/*.example.com"] }),
      virtualService("rule", { hosts: ["a.example.com"], gateways: ["edge"], http: [to("api")] }),
    ],
    at: inDemo("VirtualService", "spec.hosts[0]"),
  },
  {
    ...{ code: "IST0133", what: "a value that does nothing" },
    bad: [object("EnvoyFilter")("rule", { configPatches: [] })],
    good: [patches({}, "HTTP_FILTER", "INSERT_FIRST")],
    at: inDemo("EnvoyFilter", "spec.configPatches"),
  },
  {
    ...{ code: "IST0134", what: "a service of TCP without an address" },
    bad: [service("rule", { ports: [{ number: 5432, name: "db", protocol: "TCP" }] })],
    good: [
      service("rule", { addresses: ["10.9.0.1"], ports: [{ number: 5432, name: "db", protocol: "TCP" }] }),
    ],
    at: inDemo("ServiceEntry", "spec.addresses (spec.ports[0])"),
  },
  {
    ...{ code: "IST0138", what: "a certificate of two Gateways" },
    bad: [
      gateway("a", { ...tls, hosts: ["a.example.com"], tls: { mode: "SIMPLE", credentialName: "c" } }),
      gateway("b", { ...tls, hosts: ["b.example.com"], tls: { mode: "SIMPLE", credentialName: "c" } }),
    ],
    good: [
      gateway("a", { ...tls, hosts: ["a.example.com"], tls: { mode: "SIMPLE", credentialName: "c" } }),
      gateway("b", { ...tls, hosts: ["b.example.com"], tls: { mode: "SIMPLE", credentialName: "d" } }),
    ],
    at: inDemo("Gateway", "spec.servers[0].tls", "b"),
  },
  {
    ...{ code: "IST0145", what: "two Gateways for one port and host" },
    bad: [
      gateway("a", { ...tls, tls: { mode: "ISTIO_MUTUAL" } }),
      gateway("b", { ...tls, tls: { mode: "ISTIO_MUTUAL" } }),
    ],
    good: [
      gateway("a", { ...tls, tls: { mode: "ISTIO_MUTUAL" } }),
      gateway("b", { ...tls, tls: { mode: "ISTIO_MUTUAL" } }, { selector: { istio: "other" } }),
    ],
    at: inDemo("Gateway", "spec.servers[0].hosts", "b"),
  },
  {
    ...{ code: "IST0151", what: "a patch that needs others before it" },
    bad: [patches({}, "HTTP_FILTER", "INSERT_BEFORE")],
    good: [
      patches({ priority: 10 }, "HTTP_FILTER", "INSERT_BEFORE"),
      patches({}, "HTTP_FILTER", "MERGE"),
      patches({}, "CLUSTER", "REPLACE"),
    ],
    at: inDemo("EnvoyFilter", "spec.configPatches[0].patch.operation", "patches"),
  },
  {
    ...{ code: "IST0152", what: "REPLACE of what cannot be replaced" },
    bad: [patches({}, "CLUSTER", "REPLACE")],
    good: [patches({}, "HTTP_FILTER", "REPLACE")],
    at: inDemo("EnvoyFilter", "spec.configPatches[0].patch.operation", "patches"),
  },
  {
    ...{ code: "IST0153", what: "ADD of what is not added" },
    bad: [patches({}, "ROUTE_CONFIGURATION", "ADD")],
    good: [patches({}, "CLUSTER", "ADD")],
    at: inDemo("EnvoyFilter", "spec.configPatches[0].patch.operation", "patches"),
  },
  {
    ...{ code: "IST0154", what: "REMOVE of what stays" },
    bad: [patches({}, "ROUTE_CONFIGURATION", "REMOVE")],
    good: [patches({}, "CLUSTER", "REMOVE")],
    at: inDemo("EnvoyFilter", "spec.configPatches[0].patch.operation", "patches"),
  },
  {
    ...{ code: "IST0155", what: "the same for proxies of one version" },
    bad: [patches({}, "HTTP_FILTER", "INSERT_BEFORE", { match: { proxy: { proxyVersion: "^1\\.2.*" } } })],
    good: [patches({}, "HTTP_FILTER", "INSERT_BEFORE")],
    at: inDemo("EnvoyFilter", "spec.configPatches[0].patch.operation", "patches"),
  },
  {
    ...{ code: "IST0157", what: "a provider that takes no logs" },
    bad: [
      meshConfig({ extensionProviders: [{ name: "p", prometheus: {} }] }),
      telemetry("rule", { accessLogging: [{ providers: [{ name: "p" }] }] }),
    ],
    good: [
      meshConfig({ extensionProviders: [{ name: "p", envoyFileAccessLog: { path: "/dev/stdout" } }] }),
      telemetry("rule", { accessLogging: [{ providers: [{ name: "p" }] }] }),
    ],
    at: inDemo("Telemetry", "spec.accessLogging[0].providers[0].name"),
  },
  {
    ...{ code: "IST0159", what: "two Telemetries of one workload" },
    bad: ["a", "b"].reduce<readonly object[]>(
      (all, name) => [...all, telemetry(name, { selector: { matchLabels: { app: "api" } } })],
      [workload({ app: "api" })],
    ),
    good: [workload({ app: "api" }), telemetry("a", { selector: { matchLabels: { app: "api" } } })],
    at: inDemo("Telemetry", "spec.selector", "b"),
  },
  {
    ...{ code: "IST0160", what: "two Telemetries for all of a namespace" },
    bad: [telemetry("a", {}), telemetry("b", {})],
    good: [telemetry("a", {})],
    at: inDemo("Telemetry", "spec.selector", "b"),
  },
  {
    ...{ code: "IST0161", what: "a certificate that is in no Secret" },
    bad: [gateway("a", { ...tls, tls: { mode: "SIMPLE", credentialName: "c" } })],
    good: [gateway("a", { ...tls, tls: { mode: "ISTIO_MUTUAL" } })],
    at: inDemo("Gateway", "spec.servers[0].tls.credentialName", "a"),
  },
  {
    ...{ code: "IST0177", what: "a port of two protocols" },
    bad: [
      service("api"),
      service("other", { hosts: ["api.demo.svc.cluster.local"], ports: [{ ...http, protocol: "TCP" }] }),
    ],
    good: [
      service("api", { exportTo: ["."] }),
      object("ServiceEntry")(
        "other",
        {
          ...{ hosts: ["api.demo.svc.cluster.local"], location: "MESH_INTERNAL", resolution: "STATIC" },
          ...{ ports: [{ ...http, protocol: "TCP" }], exportTo: ["."] },
        },
        { namespace: "elsewhere" },
      ),
      service("same", { hosts: ["api.demo.svc.cluster.local"], exportTo: ["."] }),
    ],
    at: inDemo("ServiceEntry", "spec.ports[0].protocol", "other"),
  },
];
