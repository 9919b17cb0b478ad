/** A value that Envoy would refuse, or that protobuf cannot hold, costs its own object and nothing else. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDocuments } from "../../../src/controlplane/config/parse-documents.ts";
import { buildModel } from "../../../src/controlplane/model/build-model.ts";
import { takeSnapshot } from "../../support/snapshot-of.ts";
import { demoProxy, settings, yaml } from "../../support/bad-values.ts";

const spec = {
  ServiceEntry: (more: string) =>
    `hosts: [a.demo], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], ${more}`,
  DnsEntry: (more: string) => `hosts: [a.demo], resolution: DNS, ports: [{number: 80, name: http}], ${more}`,
  VirtualService: (http: string) => `hosts: [a.demo], http: [${http}]`,
  route: (more: string) => `{route: [{destination: {host: a.demo}}], ${more}}`,
  Sidecar: (more: string) => `ingress: [{port: {number: 80, name: http}, ${more}}]`,
} as const;

const destinations = (count: number, weight: number): string =>
  Array.from({ length: count }, () => `{destination: {host: a.demo}, weight: ${weight}}`).join();

const secretKeys = '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}';

/** As RFC 7515 (A.3) and RFC 7517 (A.1) have them. */
const keys = {
  ec: {
    kty: "EC",
    crv: "P-256",
    x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
  },
  rsa: {
    kty: "RSA",
    n: "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    e: "AQAB",
  },
} as const;

type Case = readonly [kind: string, spec: string, path: string];

const refused: readonly Case[] = [
  ...["9999999999999h", "2562048h", "0.5ms", "0s", "-1s", "1e3s", "5", "1 s", `${"9".repeat(400)}s`].map(
    (timeout): Case => [
      "VirtualService",
      spec.VirtualService(spec.route(`timeout: "${timeout}"`)),
      "spec.http[0].timeout",
    ],
  ),
  [
    "VirtualService",
    spec.VirtualService(`{route: [${destinations(4_295, 1_000_000)}]}`),
    "spec.http[0].route",
  ],
  [
    "VirtualService",
    spec.VirtualService(`{route: [${destinations(1, 1_000_001)}]}`),
    "spec.http[0].route[0].weight",
  ],
  ...[
    "(?=a)",
    "(?<!a)",
    "(a)\\\\1",
    "(",
    "a**",
    "a{1001}",
    "\\\\u0041",
    "\\\\c",
    "a{1000}".repeat(33),
    "a".repeat(40_000),
    "[^/]{1000}".repeat(30),
  ].map((regex): Case => [
    "VirtualService",
    spec.VirtualService(spec.route(`match: [{uri: {regex: "${regex}"}}]`)),
    "spec.http[0].match[0].uri.regex",
  ]),
  ...["a b", "a\\n", "ä", ""].map((name): Case => [
    "VirtualService",
    spec.VirtualService(spec.route(`match: [{headers: {"${name}": {exact: x}}}]`)),
    `spec.http[0].match[0].headers.${JSON.parse(`"${name}"`)}`,
  ]),
  ["VirtualService", `hosts: ["a..b"], http: [${spec.route("")}]`, "spec.hosts[0]"],
  ["VirtualService", `hosts: [${"a".repeat(64)}.demo], http: [${spec.route("")}]`, "spec.hosts[0]"],
  ["VirtualService", `hosts: [${"a.".repeat(130)}b], http: [${spec.route("")}]`, "spec.hosts[0]"],
  ...["100%", "%FOO%", "%REQ(a b)%", "%REQ(a?b?c)%", "%REQ(:::)%", "a\\nb", "a\\0", "a".repeat(16_385)].map(
    (value): Case => [
      "VirtualService",
      spec.VirtualService(spec.route(`headers: {request: {set: {x-a: "${value}"}}}`)),
      "spec.http[0].headers.request.set.x-a",
    ],
  ),
  [
    "VirtualService",
    spec.VirtualService(spec.route('rewrite: {uriRegexRewrite: {match: a, rewrite: "a\\nb"}}')),
    "spec.http[0].rewrite.uriRegexRewrite.rewrite",
  ],
  [
    "VirtualService",
    spec.VirtualService(
      spec.route(
        `headers: {request: {set: {${Array.from({ length: 251 }, (_, at) => `x-${at}: a`).join()}}}}`,
      ),
    ),
    "spec.http[0].headers.request.set",
  ],
  [
    "RequestAuthentication",
    `jwtRules: [{issuer: a, jwks: '${secretKeys}', fromHeaders: [{name: a, prefix: "a\\nb"}]}]`,
    "spec.jwtRules[0].fromHeaders[0].prefix",
  ],
  ...[":x\\0", "x y", ""].map((name): Case => [
    "AuthorizationPolicy",
    `rules: [{when: [{key: "request.headers[${name}]", values: [a]}]}]`,
    "spec.rules[0].when[0].key",
  ]),
  ...["uri", "authority"].map((field): Case => [
    "VirtualService",
    spec.VirtualService(spec.route(`rewrite: {${field}: "a\\nb"}`)),
    `spec.http[0].rewrite.${field}`,
  ]),
  [
    "VirtualService",
    spec.VirtualService(spec.route("fault: {delay: {fixedDelay: 0s}}")),
    "spec.http[0].fault.delay.fixedDelay",
  ],
  [
    "VirtualService",
    spec.VirtualService(spec.route('match: [{queryParams: {"": {exact: a}}}]')),
    "spec.http[0].match[0].queryParams.",
  ],
  [
    "DestinationRule",
    "host: a.demo, trafficPolicy: {connectionPool: {tcp: {connectTimeout: 0s}}}",
    "spec.trafficPolicy.connectionPool.tcp.connectTimeout",
  ],
  ...["interval", "baseEjectionTime"].map((field): Case => [
    "DestinationRule",
    `host: a.demo, trafficPolicy: {outlierDetection: {${field}: 0s}}`,
    `spec.trafficPolicy.outlierDetection.${field}`,
  ]),
  // Envoy 1.40 does not refuse the first of these: it ends.
  ...["/a/{*}b", "{*}", "/{**}/{*}", "/a*b", "**", "/{a}", `/{**}/${"a".repeat(251)}`].map((path): Case => [
    "AuthorizationPolicy",
    `rules: [{to: [{operation: {paths: ["${path}"]}}]}]`,
    "spec.rules[0].to[0].operation.paths[0]",
  ]),
  ...[
    ...['{"keys":[]}', '{"keys":[1]}', '{"keys":[{"kty":"x"}]}', '{"keys":[{"kty":"RSA","n":"a"}]}', "[]"],
    ...[
      { kty: "oct", k: "c" },
      { kty: "oct", k: "c2VjcmV0", alg: "RS256" },
      { kty: "RSA", n: "AA", e: "AQAB" },
      { ...keys.rsa, e: "AA" },
      { ...keys.rsa, alg: "ES256" },
      { kty: "EC", crv: "P-256", x: "AA", y: "AA" },
      { ...keys.ec, alg: "ES384" },
      { kty: "OKP", crv: "Ed25519", x: "AAAA" },
    ].map((key) => JSON.stringify({ keys: [key] })),
  ].map((jwks): Case => [
    "RequestAuthentication",
    `jwtRules: [{issuer: a, jwks: '${jwks}'}]`,
    "spec.jwtRules[0].jwks",
  ]),
  ["ServiceEntry", spec.ServiceEntry('addresses: ["fe80::1%eth0"]'), "spec.addresses[0]"],
  ["ServiceEntry", spec.ServiceEntry("addresses: [10.0.0.256]"), "spec.addresses[0]"],
  ["ServiceEntry", spec.ServiceEntry("endpoints: [{address: a.demo}]"), "spec.endpoints[0].address"],
  ["ServiceEntry", spec.DnsEntry('endpoints: [{address: "a b"}]'), "spec.endpoints[0].address"],
  [
    "ServiceEntry",
    spec.ServiceEntry("endpoints: [{address: 10.0.0.1, weight: 4294967296}]"),
    "spec.endpoints[0].weight",
  ],
  ...["a/b", "../a", "a\\nb", "A", ""].map((account): Case => [
    "ServiceEntry",
    spec.ServiceEntry(`endpoints: [{address: 10.0.0.1, serviceAccount: "${account}"}]`),
    "spec.endpoints[0].serviceAccount",
  ]),
  ["DestinationRule", `host: a.demo, subsets: [{name: "a|b", labels: {}}]`, "spec.subsets[0].name"],
  [
    "DestinationRule",
    `host: a.demo, subsets: [{name: ${"a".repeat(64)}, labels: {}}]`,
    "spec.subsets[0].name",
  ],
  ...["0", "65536", "http", "-1", "080"].map((port): Case => [
    "PeerAuthentication",
    `selector: {matchLabels: {a: b}}, portLevelMtls: {"${port}": {mode: STRICT}}`,
    `spec.portLevelMtls.${port}`,
  ]),
  ...["127.0.0.1:0", "127.0.0.1:65536", "10.0.0.1:80", "unix:///", `unix:///${"a".repeat(107)}`].map(
    (endpoint): Case => [
      "Sidecar",
      spec.Sidecar(`defaultEndpoint: "${endpoint}"`),
      "spec.ingress[0].defaultEndpoint",
    ],
  ),
  ["Sidecar", spec.Sidecar('bind: "::1%lo", defaultEndpoint: "127.0.0.1:1"'), "spec.ingress[0].bind"],
  ["Sidecar", "ingress: [], ingress: []", ""],
  ["DestinationRule", "host: a.demo, subsets: [{name: a, labels: {a: b, a: c}}]", ""],
];

const accepted: readonly (readonly [kind: string, spec: string])[] = [
  ...["1ms", "1.001s", "2562047h"].map(
    (timeout) => ["VirtualService", spec.VirtualService(spec.route(`timeout: ${timeout}`))] as const,
  ),
  [
    "VirtualService",
    spec.VirtualService(
      spec.route(
        'headers: {request: {set: {x-a: "100%%", x-b: "%START_TIME%", x-c: "%REQ(x-d)%", x-e: ""}}}',
      ),
    ),
  ],
  ...[[keys.ec], [keys.rsa], [{ kty: "x" }, keys.ec], [{ kty: "RSA", n: "AA", e: "AQAB" }, keys.rsa]].map(
    (set) =>
      ["RequestAuthentication", `jwtRules: [{issuer: a, jwks: '${JSON.stringify({ keys: set })}'}]`] as const,
  ),
  ["AuthorizationPolicy", `rules: [{when: [{key: "request.headers[:path]", values: [a]}]}]`],
  ["VirtualService", spec.VirtualService(spec.route("match: [{headers: {__proto__: {exact: a}}}]"))],
  ...["/a/[^/]+", "(?i)a", "(?P<x>a)", "[[:alpha:]]+", "\\\\d{1000}", "\\\\\\\\1"].map(
    (regex) =>
      ["VirtualService", spec.VirtualService(spec.route(`match: [{uri: {regex: "${regex}"}}]`))] as const,
  ),
  [
    "VirtualService",
    spec.VirtualService(spec.route("match: [{headers: {X-Foo_1: {exact: x}, ':authority': {exact: x}}}]")),
  ],
  [
    "ServiceEntry",
    spec.ServiceEntry('addresses: ["fd00::1"], endpoints: [{address: "::1", serviceAccount: a.b-c}]'),
  ],
  ["ServiceEntry", spec.DnsEntry("endpoints: [{address: a_b.demo, weight: 1000000}]")],
  ["DestinationRule", "host: '*.demo', subsets: [{name: V1, labels: {version: a}}]"],
  ["PeerAuthentication", "selector: {matchLabels: {a: b}}, portLevelMtls: {'65535': {mode: STRICT}}"],
  ["Sidecar", spec.Sidecar(`defaultEndpoint: "unix:///${"a".repeat(106)}"`)],
];

describe("a value of an object", () => {
  for (const [kind, content, path] of refused) {
    test(`refused: ${path} in ${kind} ${content.slice(0, 100)}`, () => {
      const { objects, problems } = parseDocuments("a.yaml", yaml(kind, content));
      assert.deepEqual(objects, []);
      assert.ok(
        problems.some((problem) => problem.path === path),
        JSON.stringify(problems),
      );
    });
  }
  for (const [kind, content] of accepted) {
    test(`accepted, and it can be sent: ${kind} ${content.slice(0, 100)}`, () => {
      const service = yaml("ServiceEntry", spec.ServiceEntry("endpoints: [{address: 10.0.0.1}]"), "b");
      const { objects, problems } = parseDocuments("a.yaml", `${yaml(kind, content)}---\n${service}`);
      assert.deepEqual(problems, []);
      for (const mode of ["REDIRECT", "NONE"])
        assert.deepEqual(takeSnapshot(buildModel(objects, settings), demoProxy(mode)).faults, []);
    });
  }
});
