/** Everything that can be wrong with an object: where it is, and what to do. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Alias, stringify } from "yaml";
import type { Kinds } from "../../../../src/controlplane/config/objects.ts";
import { parseDocuments } from "../../../../src/controlplane/config/parse-documents.ts";
import { kinds } from "../../../../src/controlplane/config/schema.ts";
import { describeConfigProblem } from "../../../../src/controlplane/config/problem.ts";
import { absent, objectWith } from "../../../support/istio-objects.ts";

type Row = readonly [path: string, value: unknown, ...problems: readonly string[]];

const notAMapping = "must be a mapping";
const notAList = "must be a list";
const notText = "must be text";
const missing = "is missing";
const port = "must be a whole number from 1 to 65535";
const weight = "must be a whole number from 0 to 1000000";
const host = "must be a host name of at most 253 characters";
const ip = "must be an IP address";
const range = "must be an IP address, or a range of them such as 10.0.0.0/8";
const label = "must be the value of a label: at most 63 letters, digits, -, _ and .";
const capture = "must be one of DEFAULT, IPTABLES, NONE";
const protocol = "must be one of HTTP, HTTP2, GRPC, TCP, TLS, HTTPS, MONGO, MYSQL, REDIS";
const subset = "must be a subset's name: letters, digits and dashes, at most 63";
const time = "a duration of whole milliseconds up to 2562047h such as 5s or 1m30s";
const duration = `must be ${time}`;
const durationOrNone = `must be 0s, or ${time}`;
const portName = "must be the name of a port: letters, digits and dashes, at most 63";
const endpoint =
  "must be 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT or unix:// and an absolute path of at most 107 bytes";
const mode = "must be one of STRICT, PERMISSIVE, DISABLE, UNSET";
const oneCondition = "needs exactly one of exact, prefix and regex";
const noSuite =
  "is no cipher suite that Envoy takes, and is left out: suites of TLS 1.2 have names such as ECDHE-RSA-AES128-GCM-SHA256";
const one = "must have at least 1 item";
const unique = (value: string | number): string => `${value} is there already: make it unique`;
const known = (...fields: readonly string[]): string =>
  `is not known here: this control plane reads ${fields.join(", ")}`;

/** Problems of the field that the row damages; those of another field begin with its path. */
const rows: Readonly<Record<keyof Kinds, readonly Row[]>> = {
  ServiceEntry: [
    ["apiVersion", "networking.istio.io/v2", "must be networking.istio.io/v1 for a ServiceEntry"],
    ["apiVersion", "security.istio.io/v1", "must be networking.istio.io/v1 for a ServiceEntry"],
    ["metadata", absent, missing],
    ["metadata", [], notAMapping],
    ["metadata.name", absent, missing],
    ["metadata.name", "Api_1", "must be a name"],
    ["metadata.namespace", "demo.shop", "must be a namespace"],
    ["metadata.labels.a", 1, notText],
    ["metadata.annotations", "a=b", notAMapping],
    ["metadata.creationTimestamp", "yesterday", "must be a time such as 2026-01-31T12:00:00Z"],
    ["metadata.Uid", "1", "is not known here: did you mean uid?"],
    ["spec", absent, missing],
    ["spec", null, notAMapping],
    ["state", {}, "is not known here: did you mean status?"],
    ["spec.hosts", absent, missing],
    ["spec.hosts", "api.demo", notAList],
    ["spec.hosts", [], one],
    ["spec.hosts[0]", "api demo", host],
    ["spec.hosts[0]", 1, host],
    ["spec.hosts[0]", null, host],
    ["spec.addresses", "10.96.0.1", notAList],
    ["spec.addresses[0]", "10.96.0.0/33", range],
    ["spec.ports", absent, missing],
    ["spec.ports", [], one],
    ["spec.ports[0]", "80", notAMapping],
    ["spec.ports[0].number", absent, missing],
    ["spec.ports[0].number", 0, port],
    ["spec.ports[0].number", 65_536, port],
    ["spec.ports[0].number", 80.5, port],
    ["spec.ports[0].number", "80", port],
    ["spec.ports[0].name", absent, missing],
    ["spec.ports[0].name", "", portName],
    ["spec.ports[0].name", "http_api", portName],
    ["spec.ports[0].protocol", "UDP", protocol],
    ["spec.ports[0].targetPort", 0, port],
    ["spec.ports[1].name", "http", unique("http")],
    ["spec.ports[1].number", 80, unique(80)],
    ["spec.location", "MESH", "must be one of MESH_EXTERNAL, MESH_INTERNAL"],
    ["spec.hosts[0]", "*", "stands for every host there is: name a domain, such as *.example.com"],
    ["spec.resolution", "STATICAL", "must be one of STATIC, DNS, DNS_ROUND_ROBIN, NONE"],
    ["spec.resolution", "NONE", "NONE takes no endpoints: set resolution to STATIC, or remove them"],
    ["spec.resolution", absent, "NONE takes no endpoints: set resolution to STATIC, or remove them"],
    ["spec.endpoints", {}, notAList],
    ["spec.endpoints[0].address", absent, missing],
    ["spec.endpoints[0].address", "a b", "must be an IP address or host name"],
    [
      "spec.endpoints[0].address",
      "api.example.net",
      "api.example.net is not an IP address, which resolution STATIC needs",
    ],
    ["spec.endpoints[0].ports", [8080], notAMapping],
    ["spec.endpoints[0].ports.http", 0, port],
    ["spec.endpoints[0].ports.https", 443, "is not the name of a port in spec.ports"],
    ["spec.endpoints[0].labels.app", true, label],
    ["spec.endpoints[0].serviceAccount", "a/b", "must be the name of a service account"],
    ["spec.endpoints[0].weight", -1, weight],
    ["spec.endpoints[0].weight", 1_000_001, weight],
    ["spec.endpoints[0].adress", "10.0.0.1", "is not known here: did you mean address?"],
    [
      "spec.workloadSelector",
      { labels: { app: "api" } },
      "and endpoints exclude each other: keep one of them",
    ],
    ["spec.workloadSelector", {}, "spec.workloadSelector.labels: is missing"],
    ["spec.workloadSelector", { labels: "app" }, "spec.workloadSelector.labels: must be a mapping"],
    [
      "spec.network",
      "a",
      known(
        "hosts",
        "addresses",
        "ports",
        "location",
        "resolution",
        "endpoints",
        "workloadSelector",
        "exportTo",
        "subjectAltNames",
      ),
    ],
    ["spec.Hosts", ["a"], "is not known here: did you mean hosts?"],
    [
      `spec.${"hosts".repeat(13)}`,
      1,
      known(
        "hosts",
        "addresses",
        "ports",
        "location",
        "resolution",
        "endpoints",
        "workloadSelector",
        "exportTo",
        "subjectAltNames",
      ),
    ],
  ],
  WorkloadEntry: [
    ["apiVersion", "networking.istio.io", "must be networking.istio.io/v1 for a WorkloadEntry"],
    ["apiVersion", absent, missing, "apiVersion: must be networking.istio.io/v1 for a WorkloadEntry"],
    ["spec.address", absent, missing],
    ["spec.address", "unix:/a", "must be an IP address or host name"],
    ["spec.ports.http", "8080", port],
    ["spec.labels", [], notAMapping],
    ["spec.serviceAccount", "A", "must be the name of a service account"],
    ["spec.weight", "1", weight],
    ["spec.network", "a", known("address", "ports", "labels", "locality", "serviceAccount", "weight")],
  ],
  VirtualService: [
    ["spec.gateways", ["a/b/c"], 'spec.gateways[0]: must be "mesh", or a Gateway as name or namespace/name'],
    ["spec.hosts", ["*"], "* is for gateways only: name the hosts, or the gateways"],
    ["spec.http", absent, "spec: needs at least one of http, tcp and tls"],
    ["spec.http", [], "spec: needs at least one of http, tcp and tls"],
    ["spec.http[0]", null, notAMapping],
    ["spec.http[0].name", "", notText],
    ["spec.http[0].match", {}, notAList],
    ["spec.http[0].match[0].name", 1, notText],
    ["spec.http[0].match[0].uri", "/", notAMapping],
    ["spec.http[0].match[0].uri", {}, oneCondition],
    ["spec.http[0].match[0].uri", { exact: "/a", prefix: "/" }, oneCondition],
    ["spec.http[0].match[0].uri.prefix", "", notText],
    ["spec.http[0].match[0].uri.exact", 1, notText],
    [
      "spec.http[0].match[0].uri.regex",
      "(?=a)",
      "must be a regular expression in RE2's syntax, of a program of at most 32768 steps",
    ],
    ["spec.http[0].match[0].method", {}, oneCondition],
    ["spec.http[0].match[0].method.exact", [], notText],
    ["spec.http[0].match[0].method.exact", "on", "on is true or false to Kubernetes: put it in quotes"],
    ["spec.http[0].match[0].authority", {}, oneCondition],
    ["spec.http[0].match[0].authority.exact", null, notText],
    ["spec.http[0].match[0].headers", "x-user", notAMapping],
    ["spec.http[0].match[0].headers.x-user", { exact: "a", prefix: "a" }, oneCondition],
    ["spec.http[0].match[0].headers.x user", { exact: "a" }, "must be the name of a header"],
    ["spec.http[0].match[0].ignoreUriCase", "yes", "must be true or false"],
    ["spec.http[0].match[0].queryParam", {}, "is not known here: did you mean queryParams?"],
    ["spec.http[0].route", absent, "is missing: or give a redirect, a directResponse or a delegate"],
    ["spec.http[0].route", [], "is missing: or give a redirect, a directResponse or a delegate"],
    [
      "spec.http[0].redirect",
      { uri: "/b" },
      "spec.http[0]: may have only one of route, redirect and directResponse",
    ],
    ["spec.http[0].rewrite", {}, "needs a uri, an authority or a uriRegexRewrite"],
    ["spec.http[0].fault", {}, "needs a delay or an abort"],
    [
      "spec.http[0].fault",
      { abort: {} },
      "spec.http[0].fault.abort: needs exactly one of httpStatus and grpcStatus",
    ],
    [
      "spec.http[0].headers",
      { request: { remove: ["Host"] } },
      "spec.http[0].headers.request: Host cannot be changed: use rewrite",
    ],
    ["spec.http[0].route[0].destination", absent, missing],
    ["spec.http[0].route[0].destination.host", absent, missing],
    ["spec.http[0].route[0].destination.host", "a..b", host],
    ["spec.http[0].route[0].destination.subset", "v 1", subset],
    ["spec.http[0].route[0].destination.port", 80, notAMapping],
    ["spec.http[0].route[0].destination.port.number", 0, port],
    ["spec.http[0].route[0].weight", -1, weight],
    [
      "spec.http[0].route",
      [1, 2].map(() => ({ destination: { host: "a" }, weight: 0 })),
      "has weights that add up to 0: give at least one destination a weight",
    ],
    [
      "spec.http[0].route",
      [1, 2].map(() => ({ destination: { host: "a" } })),
      "has weights that add up to 0: give at least one destination a weight",
    ],
    [
      "spec.http[0].route",
      Array.from({ length: 4_295 }, () => ({ destination: { host: "a" }, weight: 1_000_000 })),
      "has weights that add up to more than 4294967295: divide all of them",
    ],
    ["spec.http[0].timeout", 5, duration],
    ["spec.http[0].timeout", "5", duration],
    ["spec.http[0].timeout", "0s", duration],
    ["spec.http[0].timeout", "1.2345ms", duration],
    ["spec.hosts", ["a.example.com", "a.example.com"], `spec.hosts[1]: ${unique("a.example.com")}`],
    ...[
      ["shop.example.com", "*.example.com"],
      ["*.example.com", "shop.example.com"],
      ["*.com", "*.example.com"],
    ].map(([one = "", other = ""]): Row => [
      "spec.hosts",
      [one, other],
      `spec.hosts[1]: ${other} overlaps with ${one}: keep one of them, or give each a VirtualService of its own`,
    ]),
    [
      "spec.tls",
      [
        {
          match: [{ sniHosts: ["b.example.com", "*.example.com"] }],
          route: [{ destination: { host: "a" } }],
        },
      ],
      ...["b.example.com", "*.example.com"].map(
        (name, index) =>
          `spec.tls[0].match[0].sniHosts[${index}]: ${name} is none of the hosts of this VirtualService (api.demo): add it to spec.hosts`,
      ),
    ],
    [
      "spec.http[0]",
      { redirect: { redirectCode: 302 } },
      "spec.http[0].redirect: leads nowhere else: give it a uri, an authority, a scheme or a port",
    ],
    [
      "spec.http[0].retries",
      { retryOn: "5xx" },
      "spec.http[0].retries.attempts: is 0, which switches retries off: set it, or remove the rest",
    ],
    ...["503, 429", "499", "5xx,"].map((retryOn): Row => [
      "spec.http[0].retries",
      { attempts: 1, retryOn },
      "spec.http[0].retries.retryOn: must be conditions of Envoy's retry_on, or numbers of statuses, divided by commas alone",
    ]),
    [
      "spec.http[0].retries",
      { attempts: 3, retryOn: "sometimes" },
      "spec.http[0].retries.retryOn: must be conditions of Envoy's retry_on, or numbers of statuses, divided by commas alone",
    ],
    ["spec.http[0].delegate", { name: "a" }, "does not go with a route, a redirect or a directResponse"],
    [
      "spec.http[0].delegate",
      { name: "A" },
      "spec.http[0].delegate.name: must be the name of a VirtualService",
    ],
    ["spec.http[0].delegated", {}, "is not known here: did you mean delegate?"],
  ],
  DestinationRule: [
    ["spec.host", absent, missing],
    ["spec.host", "", host],
    ["spec.trafficPolicy", "a", notAMapping],
    [
      "spec.trafficPolicy.connectionPool",
      {
        tcp: { idleTimeout: "1", connectTimeout: "0s" },
        http: { h2UpgradePolicy: "UPGRADE", useClientProtocol: true },
      },
      `spec.trafficPolicy.connectionPool.tcp.idleTimeout: ${durationOrNone}`,
      `spec.trafficPolicy.connectionPool.tcp.connectTimeout: ${duration}`,
    ],
    [
      "spec.trafficPolicy.connectionPool",
      { http: { h2UpgradePolicy: "UPGRADE", useClientProtocol: true } },
      "spec.trafficPolicy.connectionPool.http.useClientProtocol: and h2UpgradePolicy UPGRADE exclude each other: keep one of them",
    ],
    [
      "spec.trafficPolicy.outlierDetection",
      { consecutiveLocalOriginFailures: 3 },
      "spec.trafficPolicy.outlierDetection.consecutiveLocalOriginFailures: is counted with splitExternalLocalOriginErrors only: set that to true",
    ],
    ["spec.trafficPolicy.tls.mode", "PLAIN", "must be one of DISABLE, SIMPLE, MUTUAL, ISTIO_MUTUAL"],
    ["spec.trafficPolicy.tls.mode", "MUTUAL", "MUTUAL needs clientCertificate and privateKey"],
    [
      "spec.trafficPolicy.loadBalancer.simple",
      "FASTEST",
      "must be one of UNSPECIFIED, LEAST_REQUEST, LEAST_CONN, ROUND_ROBIN, RANDOM, PASSTHROUGH",
    ],
    [
      "spec.trafficPolicy.loadBalancer.consistentHash",
      { useSourceIp: true },
      "spec.trafficPolicy.loadBalancer.simple: and consistentHash exclude each other: keep one of them",
    ],
    [
      "spec.trafficPolicy.loadBalancer.localityLbSetting",
      {
        distribute: [
          { from: "eu/*", to: { "eu/*": 60, "us/*": 41 } },
          { from: "eu/*", to: { "eu/*": 100 } },
          { from: "eu", to: { "us/a": 50, us: 50 } },
          { from: "*", to: { "eu/a": 50, "eu/*": 50 } },
        ],
        failover: [{ from: "eu", to: "eu" }],
      },
      ...[
        "distribute: and failover exclude each other: keep one of them",
        "distribute[0].to: has weights of 101 in all: make it 100",
        "distribute[2].to.us: overlaps with us/a, which comes before it: leave one of them out",
        "distribute[1].from: overlaps with eu/*, which comes before it: leave one of them out",
        "distribute[2].from: overlaps with eu/*, which comes before it: leave one of them out",
        "failover[0].to: is eu, which is what fails",
      ].map((problem) => `spec.trafficPolicy.loadBalancer.localityLbSetting.${problem}`),
      "fails over by outlierDetection only, of which there is none",
    ],
    [
      "spec.trafficPolicy.loadBalancer.localityLbSetting",
      { distribute: [{ from: "eu//a", to: { us: 0 } }], failoverPriority: ["a=b=c"] },
      ...[
        "distribute[0].to.us: must be a whole number from 1 to 100",
        "distribute[0].from: must be region/zone/subzone, of which * stands for all",
        "failoverPriority[0]: must be a label, or label=value",
      ].map((problem) => `spec.trafficPolicy.loadBalancer.localityLbSetting.${problem}`),
    ],
    [
      "spec.trafficPolicy.loadBalancer.localityLbSetting",
      { failover: [{ from: "eu", to: "us" }], failoverPriority: ["app", "topology.kubernetes.io/zone"] },
      "spec.trafficPolicy.loadBalancer.localityLbSetting.failoverPriority[1]: is a place, which failover is about: keep one of them",
      "fails over by outlierDetection only, of which there is none",
    ],
    [
      "spec.trafficPolicy.proxyProtocol",
      {},
      known("loadBalancer", "connectionPool", "outlierDetection", "tls", "portLevelSettings"),
    ],
    ["spec.subsets", {}, notAList],
    ["spec.subsets[0].name", absent, missing],
    ["spec.subsets[0].name", "a|b", subset],
    ["spec.subsets[0].labels.version", 1, label],
    ["spec.subsets[1].name", "v1", unique("v1")],
  ],
  PeerAuthentication: [
    ["apiVersion", "networking.istio.io/v1", "must be security.istio.io/v1 for a PeerAuthentication"],
    ["spec.selector", absent, "spec.portLevelMtls: needs a selector: ports belong to a workload"],
    ["spec.selector", {}, "spec.portLevelMtls: needs a selector: ports belong to a workload"],
    ["spec.selector.matchLabels", [], notAMapping],
    ["spec.mtls.mode", "MUTUAL", mode],
    ["spec.portLevelMtls", [], notAMapping],
    ["spec.portLevelMtls.8080", "STRICT", notAMapping],
    ["spec.portLevelMtls.8080.mode", "strict", mode],
    ["spec.portLevelMtls.http", { mode: "STRICT" }, "must be a port from 1 to 65535"],
  ],
  Sidecar: [
    ["spec.workloadSelector", { labels: [] }, "spec.workloadSelector.labels: must be a mapping"],
    ["spec.ingress", {}, notAList],
    ["spec.ingress[0].port", absent, missing],
    ["spec.ingress[0].port.number", "80", port],
    ["spec.ingress[0].bind", "localhost", ip],
    ["spec.ingress[0].captureMode", "none", capture],
    ["spec.ingress[0].defaultEndpoint", absent, missing],
    ["spec.ingress[0].defaultEndpoint", "10.0.0.1:80", endpoint],
    ["spec.ingress[1].port.number", 80, unique(80)],
    ["spec.egress", {}, notAList],
    ["spec.egress[0].port", 80, notAMapping],
    [
      "spec.egress",
      [{ hosts: ["./*"] }, { port: { number: 80, name: "http" }, hosts: ["./*"] }],
      "spec.egress[0]: has no port, and takes all others: make it the last one",
    ],
    [
      "spec.egress",
      ["127.0.0.1", "127.0.0.2"].map((bind) => ({
        port: { number: 80, name: "http" },
        bind,
        hosts: ["./*"],
      })),
      `spec.egress[1].port: ${unique(80)}`,
    ],
    ["spec", {}, "says nothing: give it egress, ingress or outboundTrafficPolicy"],
    ["spec.ingress[0].defaultEndpoint", "unix:/a", endpoint],
    ["spec.ingress[0].defaultEndpoint", "unix://a", endpoint],
    ["spec.egress[0].bind", "::1%lo", ip],
    ["spec.egress[0].captureMode", "", capture],
    ["spec.egress[0].hosts", absent, missing],
    ["spec.egress[0].hosts", [], one],
    ["spec.egress[0].hosts[0]", "api.demo", "must be namespace/host"],
    ["spec.egress[0].hosts[0]", "a/b/c", "must be namespace/host"],
    ["spec.outboundTrafficPolicy", {}, "spec.outboundTrafficPolicy.mode: is missing"],
    ["spec.outboundTrafficPolicy.mode", "ALLOW", "must be one of ALLOW_ANY, REGISTRY_ONLY"],
    [
      "spec.inboundConnectionPool",
      {},
      known("workloadSelector", "ingress", "egress", "outboundTrafficPolicy"),
    ],
  ],
  AuthorizationPolicy: [
    [
      "metadata.annotations",
      { "istio.io/dry-run": "maybe" },
      'metadata.annotations.istio.io/dry-run: must be "true" or "false"',
    ],
    ["spec.action", "CUSTOM", "must be one of ALLOW, DENY, AUDIT"],
    ["spec.rules[0].from", [], one],
    ["spec.rules[0].from[0].source", {}, "says nothing: give it a field, or remove it"],
    [
      "spec.rules[0].from[0].source.ipBlocks",
      ["10.0.0"],
      `spec.rules[0].from[0].source.ipBlocks[0]: ${range}`,
    ],
    ["spec.rules[0].to[0].operation", {}, "says nothing: give it a field, or remove it"],
    ["spec.rules[0].to[0].operation.ports[0]", "http", "must be a port from 1 to 65535"],
    [
      "spec.rules[0].when[0].key",
      "request.header",
      "must be an attribute such as source.ip or request.headers[x-user]",
    ],
    ["spec.rules[0].when[0]", { key: "source.ip" }, "needs values or notValues"],
  ],
  Gateway: [
    ["apiVersion", "security.istio.io/v1", "must be networking.istio.io/v1 for a Gateway"],
    ["spec.selector", [], notAMapping],
    ["spec.servers", absent, missing],
    ["spec.servers", [], one],
    ["spec.servers[0].port", absent, missing],
    ["spec.servers[0].port.protocol", absent, missing],
    ["spec.servers[0].port.protocol", "UDP", protocol],
    ["spec.servers[0].port.number", 0, port],
    ["spec.servers[1].port.name", "https", unique("https")],
    ["spec.servers[0].bind", "unix:///a", ip],
    ["spec.servers[0].hosts", [], one],
    ["spec.servers[0].hosts[0]", "a/b/c", "must be a host, or namespace/host"],
    ["spec.servers[0].hosts[0]", "a b", "must be a host, or namespace/host"],
    ["spec.servers[1].hosts", ["a.demo", "a.demo"], "spec.servers[1].hosts[1]: " + unique("a.demo")],
    ["spec.servers[0].tls", absent, "is missing, which a server of HTTPS needs"],
    [
      "spec.servers[0].tls.mode",
      "TERMINATE",
      "must be one of PASSTHROUGH, SIMPLE, MUTUAL, AUTO_PASSTHROUGH, ISTIO_MUTUAL, OPTIONAL_MUTUAL",
    ],
    [
      "spec.servers[0].tls.privateKey",
      absent,
      "is missing, which MUTUAL needs unless there is a credentialName",
    ],
    [
      "spec.servers[0].tls",
      { mode: "SIMPLE", credentialName: "a", privateKey: "/a.key" },
      "spec.servers[0].tls.privateKey: and credentialName exclude each other: keep one of them",
    ],
    [
      "spec.servers[0].tls",
      { mode: "ISTIO_MUTUAL", credentialName: "a" },
      "spec.servers[0].tls.credentialName: does not go with ISTIO_MUTUAL, which uses the workload's own certificate",
    ],
    [
      "spec.servers[0].tls",
      { mode: "SIMPLE", credentialName: "a/b" },
      "spec.servers[0].tls.credentialName: must be the name of a Secret",
    ],
    [
      "spec.servers[1].tls",
      { mode: "SIMPLE", credentialName: "a" },
      "has nothing but httpsRedirect for a server without TLS: set the protocol to HTTPS",
    ],
    [
      "spec.servers[0].tls",
      {
        mode: "SIMPLE",
        serverCertificate: "/a.crt",
        cipherSuites: [
          "ALL",
          "!AES128-SHA",
          "[AES128-SHA|AES256-SHA]",
          "TLS_AES_128_GCM_SHA256",
          "[AES128-SHA|A]",
        ],
      },
      "spec.servers[0].tls.privateKey: is missing, which SIMPLE needs unless there is a credentialName",
      `spec.servers[0].tls.cipherSuites[3]: TLS_AES_128_GCM_SHA256 ${noSuite}`,
      `spec.servers[0].tls.cipherSuites[4]: [AES128-SHA|A] ${noSuite}`,
    ],
    ["spec.servers[1].port.protocol", "TCP", "spec.servers[1].tls: needs the protocol TLS or HTTPS"],
  ],
  Secret: [
    ["apiVersion", "v2", "must be v1 for a Secret"],
    ["type", 1, notText],
    ["immutable", "yes", "must be true or false"],
    ["data.other", "a b", "must be base64 without line breaks"],
  ],
  RequestAuthentication: [
    ["spec.jwtRules[0].issuer", absent, missing],
    [
      "spec.jwtRules[0].jwks",
      "{}",
      "must be a set of keys in JSON (RFC 7517), at least one of which Envoy can use",
    ],
    ["spec.jwtRules[0].fromHeaders[0].name", "a b", "must be the name of a header"],
  ],
};

const yamlOf = (value: object): string => stringify(value, { aliasDuplicateObjects: false });

function problemsOf(text: string): readonly string[] {
  return parseDocuments("mesh/a.yaml", text).problems.map(describeConfigProblem);
}

const lineless = (problem: string): string => problem.replace(/^(mesh\/a\.yaml):\d+/, "$1");

describe("a field of an object", () => {
  for (const [kind, ofKind] of Object.entries(rows)) {
    test(`every field of a ${kind} may be there`, () => {
      const text = yamlOf(objectWith(kind as keyof Kinds, "metadata.namespace", "demo"));
      const { objects, problems } = parseDocuments("mesh/a.yaml", text);
      assert.deepEqual(problems, []);
      assert.equal(objects.length, 1);
    });
    for (const [path, value, ...problems] of ofKind) {
      const shown = value === absent ? "absent" : JSON.stringify(value).slice(0, 60);
      test(`${kind}: ${path.slice(0, 60)} ${shown}`, () => {
        const text = yamlOf(objectWith(kind as keyof Kinds, path, value));
        const { objects, refused } = parseDocuments("mesh/a.yaml", text);
        assert.deepEqual(
          problemsOf(text).map(lineless).toSorted(),
          problems
            .map((problem) =>
              /^(?:spec|apiVersion|metadata\.)[^ ]*: /.test(problem)
                ? `mesh/a.yaml: ${problem}`
                : `mesh/a.yaml: ${path}: ${problem}`,
            )
            .toSorted(),
        );
        assert.deepEqual(objects, []);
        const isNamed = path !== "metadata" && path !== "metadata.name";
        if (isNamed && path !== "metadata.namespace") assert.deepEqual(refused, [`${kind} demo/api`]);
      });
    }
  }
});

describe("a file of objects", () => {
  const workload = (name: string, address: string): string =>
    [
      "apiVersion: networking.istio.io/v1",
      "kind: WorkloadEntry",
      `metadata: { name: ${name} }`,
      "spec:",
      `  address: ${address}`,
      "",
    ].join("\n");

  interface File {
    readonly what: string;
    readonly text: string;
    readonly problems: readonly string[];
    /** Which objects are known to be refused. */
    readonly refused?: readonly string[];
    /** Whether it is unknown which objects are refused. */
    readonly hides?: boolean;
    readonly objects?: readonly string[];
  }

  const files: readonly File[] = [
    { what: "nothing in it", text: "", problems: [] },
    { what: "comments alone", text: "# nothing yet\n", problems: [] },
    {
      what: "everything at once, each with its line",
      text: [
        "apiVersion: networking.istio.io/v2",
        "kind: ServiceEntry",
        "metadata:",
        "  name: Api",
        "spec:",
        "  hosts: []",
        "  ports:",
        "    - number: 0",
        "      name: http",
        "    - number: 80",
        "  resolution: STATICAL",
        "  endpoint: []",
        "---",
        workload("web", "a b"),
      ].join("\n"),
      problems: [
        "mesh/a.yaml:1: apiVersion: must be networking.istio.io/v1 for a ServiceEntry",
        "mesh/a.yaml:4: metadata.name: must be a name",
        "mesh/a.yaml:6: spec.hosts: must have at least 1 item",
        "mesh/a.yaml:8: spec.ports[0].number: must be a whole number from 1 to 65535",
        "mesh/a.yaml:10: spec.ports[1].name: is missing",
        "mesh/a.yaml:11: spec.resolution: must be one of STATIC, DNS, DNS_ROUND_ROBIN, NONE",
        "mesh/a.yaml:12: spec.endpoint: is not known here: did you mean endpoints?",
        "mesh/a.yaml:18: spec.address: must be an IP address or host name",
      ],
      refused: ["ServiceEntry default/Api", "WorkloadEntry default/web"],
    },
    {
      what: "keys in braces without a value, which is to leave them out",
      text: [
        "apiVersion: networking.istio.io/v1",
        "kind: ServiceEntry",
        "metadata: { name: api, namespace }",
        "spec: { hosts, ports: [{ number, name: http, targetPort }] }",
      ].join("\n"),
      problems: ["mesh/a.yaml:4: spec.ports[0].number: is missing", "mesh/a.yaml:4: spec.hosts: is missing"],
      refused: ["ServiceEntry default/api"],
    },
    {
      what: "several rules that span fields, each at the field that is in the file",
      text: [
        "apiVersion: networking.istio.io/v1",
        "kind: ServiceEntry",
        "metadata: { name: api, namespace: demo }",
        "spec:",
        "  hosts: [api.demo]",
        "  ports:",
        "    - { number: 80, name: http }",
        "    - { number: 80, name: http }",
        "  endpoints:",
        "    - address: 10.0.0.1",
        "      ports:",
        "        https: 443",
        "  workloadSelector: { labels: { app: api } }",
      ].join("\n"),
      problems: [
        "mesh/a.yaml:8: spec.ports[1].name: http is there already: make it unique",
        "mesh/a.yaml:8: spec.ports[1].number: 80 is there already: make it unique",
        "mesh/a.yaml:13: spec.workloadSelector: and endpoints exclude each other: keep one of them",
        "mesh/a.yaml:5: spec.resolution: NONE takes no endpoints: set resolution to STATIC, or remove them",
        "mesh/a.yaml:12: spec.endpoints[0].ports.https: is not the name of a port in spec.ports",
      ],
      refused: ["ServiceEntry demo/api"],
    },
    {
      what: "what is well beside what is not",
      text: [workload("a", "10.0.0.1"), workload("b", "a b"), workload("c", "10.0.0.3")].join("---\n"),
      problems: ["mesh/a.yaml:11: spec.address: must be an IP address or host name"],
      refused: ["WorkloadEntry default/b"],
      objects: ["a:1", "c:13"],
    },
    {
      what: "documents with nothing in them are none",
      text: `---\n# switched off\n---\n${workload("a", "10.0.0.1")}---\nnull\n---\n`,
      problems: [],
      objects: ["a:4"],
    },
    {
      what: "a document that is no object",
      text: `- 1\n---\n${workload("a", "10.0.0.1")}`,
      problems: ["mesh/a.yaml:1: must be an Istio object with apiVersion, kind, metadata and spec"],
      hides: true,
      objects: ["a:3"],
    },
    {
      what: "kinds that are not known, missing or no text",
      text: "kind: Ingress\nmetadata: { name: a }\n---\nmetadata: { name: b }\n---\nkind: [Sidecar]\n---\nkind: toString\n",
      problems: [
        'mesh/a.yaml:1: kind: "Ingress"',
        'mesh/a.yaml:4: kind: ""',
        'mesh/a.yaml:6: kind: ""',
        'mesh/a.yaml:8: kind: "toString"',
      ].map((begin) => `${begin} is not one of ${Object.keys(kinds).join(", ")}`),
      hides: true,
    },
    {
      what: "an object without a name that counts",
      text: "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: { name: 1 }\nspec: {}\n",
      problems: ["mesh/a.yaml:3: metadata.name: must be a name"],
      hides: true,
    },
    {
      what: "a namespace that is no text",
      text: "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: { name: a, namespace: 1 }\nspec: {}\n",
      problems: ["mesh/a.yaml:3: metadata.namespace: must be a namespace"],
      hides: true,
    },
    {
      what: "an alias for a field",
      text: "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: &a { name: a }\nspec: *a\n",
      problems: [
        "mesh/a.yaml:3: spec.name: is not known here: this control plane reads workloadSelector, ingress, egress, outboundTrafficPolicy",
      ],
      refused: ["Sidecar default/a"],
    },
    {
      what: "aliases and merged mappings, which stand for what is at their anchors",
      text: [
        "apiVersion: networking.istio.io/v1",
        "kind: WorkloadEntry",
        "metadata: { name: a, labels: &labels { app: a } }",
        "spec: { address: &address 10.0.0.1, labels: { <<: *labels, version: v1 } }",
        "---",
        "",
      ].join("\n"),
      problems: [],
      objects: ["a:1"],
    },
    {
      what: "what kubectl prints: a list, and the bookkeeping of Kubernetes",
      text: [
        "apiVersion: v1",
        "kind: List",
        'metadata: { resourceVersion: "" }',
        "items:",
        "  - apiVersion: networking.istio.io/v1",
        "    kind: WorkloadEntry",
        "    metadata:",
        "      name: a",
        "      uid: 5f1f7d5e",
        "      generation: 2",
        "      creationTimestamp: 2026-01-31T12:00:00Z",
        "      managedFields: [{ manager: kubectl }]",
        "    spec: { address: 10.0.0.1 }",
        "    status: { conditions: [] }",
      ].join("\n"),
      problems: [],
      objects: ["a:5"],
    },
    {
      what: "kinds that are not Istio's, in one line",
      text: `apiVersion: v1\nkind: Service\nmetadata: { name: a }\n---\napiVersion: apps/v1\nkind: Deployment\n---\n${workload("a", "10.0.0.1")}`,
      problems: ["mesh/a.yaml:2: kind: objects that are not Istio's are passed over: Deployment, Service"],
      objects: ["a:8"],
    },
    {
      what: "kinds of Istio's without an effect here",
      text: "apiVersion: networking.istio.io/v1\nkind: ProxyConfig\nmetadata: { name: a }\nspec: {}\n",
      problems: [
        "mesh/a.yaml:2: kind: a ProxyConfig has no effect here: this control plane does not act on it",
      ],
    },
    {
      what: "a key that comes twice",
      text: `${workload("a", "10.0.0.1")}  address: 10.0.0.2\n`,
      problems: ["mesh/a.yaml:6: not valid YAML: Map keys must be unique"],
      hides: true,
    },
    {
      what: "no YAML, beside what is well",
      text: `kind: [\n---\n${workload("a", "10.0.0.1")}`,
      problems: [
        "mesh/a.yaml:2: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
      ],
      hides: true,
      objects: ["a:3"],
    },
    {
      what: "brackets without end",
      text: "[".repeat(100),
      problems: ["mesh/a.yaml:1: is nested more than 64 levels deep"],
      hides: true,
    },
    {
      what: "more than is read",
      text: `# ${"a".repeat(2 ** 22)}`,
      problems: ["mesh/a.yaml: has 4194306 bytes, of which 4194304 are the most that is read"],
      hides: true,
    },
  ];
  for (const { what, text, problems, refused = [], hides = false, objects = [] } of files) {
    test(what, () => {
      const parsed = parseDocuments("mesh/a.yaml", text);
      assert.deepEqual(parsed.problems.map(describeConfigProblem), problems);
      assert.deepEqual(parsed.refused, refused);
      assert.equal(parsed.hidesObjects, hides);
      assert.deepEqual(
        parsed.objects.map(({ name, line }) => `${name}:${line}`),
        objects,
      );
    });
  }

  test("aliases stand for the last anchor before them, and none is looked for through the whole file", (t) => {
    const search = t.mock.method(Alias.prototype, "resolve");
    const text = [
      "apiVersion: networking.istio.io/v1",
      "kind: VirtualService",
      "metadata: { name: &name old, namespace: demo }",
      "spec:",
      `  gateways: [&gateway mesh${", *gateway".repeat(1000)}]`,
      "  hosts: [&name new]",
      "  http: [{ route: [{ destination: { host: *name } }] }]",
    ].join("\n");
    const { objects, problems } = parseDocuments("mesh/a.yaml", text);
    assert.deepEqual(problems, []);
    const [spec] = objects.map((object) => object.spec);
    assert.deepEqual(spec, {
      gateways: Array.from({ length: 1001 }, () => "mesh"),
      hosts: ["new"],
      http: [{ route: [{ destination: { host: "new" } }] }],
    });
    assert.equal(search.mock.callCount(), 0);
  });
});
