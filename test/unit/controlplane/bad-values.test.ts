/** A value that Envoy would refuse, or that protobuf cannot hold, costs its own object and nothing else. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { mergeFiles } from "../../../src/controlplane/registry/file/merge-files.ts";
import type { ConfigObject } from "../../../src/controlplane/config/objects.ts";
import { parseDocuments } from "../../../src/controlplane/config/parse-documents.ts";
import { buildModel } from "../../../src/controlplane/model/build-model.ts";
import { parseProxy, type Proxy } from "../../../src/controlplane/model/proxy.ts";
import { boundedWeights } from "../../../src/controlplane/networking/load-assignment.ts";
import { generateEndpoints } from "../../../src/controlplane/networking/eds.ts";
import { generateRoutes } from "../../../src/controlplane/networking/rds.ts";
import { viewOf } from "../../../src/controlplane/networking/view.ts";
import { takeSnapshot } from "../../support/snapshot-of.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";

const settings = { trustDomains: ["cluster.local"], rootNamespace: "istio-system" };
const uint32 = 4_294_967_295;

const spec = {
  ServiceEntry: (more: string) =>
    `hosts: [a.demo], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], ${more}`,
  DnsEntry: (more: string) => `hosts: [a.demo], resolution: DNS, ports: [{number: 80, name: http}], ${more}`,
  VirtualService: (http: string) => `hosts: [a.demo], http: [${http}]`,
  route: (more: string) => `{route: [{destination: {host: a.demo}}], ${more}}`,
  Sidecar: (more: string) => `ingress: [{port: {number: 80, name: http}, ${more}}]`,
} as const;

const ofSecurity = ["PeerAuthentication", "AuthorizationPolicy", "RequestAuthentication"];

function yaml(kind: string, content: string, name = "a"): string {
  const group = ofSecurity.includes(kind) ? "security" : "networking";
  return `apiVersion: ${group}.istio.io/v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: demo}\nspec: {${content}}\n`;
}

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
  ...["/a/{*}b", "{*}", "/{**}/{*}", "/a*b", "**", "/{a}"].map((path): Case => [
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

function proxy(mode: string): Proxy {
  const metadata = { NAMESPACE: "demo", LABELS: { a: "b" }, INTERCEPTION_MODE: mode };
  const parsed = parseProxy({ id: "sidecar~10.0.0.1~web-1.demo~demo.svc.cluster.local", metadata });
  assert.ok(parsed !== undefined);
  return parsed;
}

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
        assert.deepEqual(takeSnapshot(buildModel(objects, settings), proxy(mode)).faults, []);
    });
  }
});

test("what is wrong with a document leaves those beside it, and the object as it was last", () => {
  const good = (name: string, port: number): string =>
    yaml("ServiceEntry", `hosts: [${name}.demo], ports: [{number: ${port}, name: http}]`, name);
  const bad = yaml("ServiceEntry", "hosts: [a.demo], ports: [{number: 0, name: http}]", "a");
  const parse = (content: string) => [parseDocuments("a.yaml", content)];
  const served = mergeFiles(parse([good("a", 1), good("b", 2), good("c", 3)].join("---\n")), [], []).objects;
  const { objects, problems } = mergeFiles(parse([bad, good("b", 20)].join("---\n")), [], served);
  assert.deepEqual(
    objects.map((object) => [
      object.name,
      object.kind === "ServiceEntry" ? object.spec.ports[0]?.number : undefined,
    ]),
    [
      ["a", 1],
      ["b", 20],
    ],
  );
  assert.deepEqual(
    problems.map(({ line, path }) => [line, path]),
    [[4, "spec.ports[0].number"]],
  );
});

describe("weights", () => {
  test("that Envoy can add up stay as they are, those of 0 become 1", () => {
    assert.deepEqual(boundedWeights([0, 1, 1_000_000]), [1, 1, 1_000_000]);
    assert.deepEqual(boundedWeights([uint32]), [uint32]);
    assert.deepEqual(boundedWeights([]), []);
  });
  test("that add up to too much keep their proportions", () => {
    const weights = [...Array.from({ length: 10_000 }, () => 1_000_000), 0];
    const bounded = boundedWeights(weights);
    const sum = bounded.reduce((total, weight) => total + weight, 0);
    assert.ok(sum <= uint32 && sum > 0.99 * uint32, String(sum));
    assert.equal(bounded[0], bounded[9_999]);
    assert.equal(bounded.at(-1), 1);
  });
});

describe("what validation cannot see", () => {
  const service = (name: string, namespace = "demo"): ConfigObject => {
    const [parsed] = parseDocuments(
      "a.yaml",
      yaml(
        "ServiceEntry",
        `hosts: [${name}], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 10.0.0.1}]`,
      ),
    ).objects;
    assert.ok(parsed !== undefined);
    return { ...parsed, name, namespace };
  };
  const virtualHosts = (objects: readonly ConfigObject[]) =>
    generateRoutes(viewOf(buildModel(objects, settings), proxy("REDIRECT"))).flatMap(
      (route) => route.virtualHosts ?? [],
    );

  test("two services with one name: the first has it, and no domain is there twice", () => {
    const hosts = virtualHosts([
      service("api.demo.svc.cluster.local"),
      service("api.demo"),
      service("API.demo"),
      service("api.demo.svc.cluster.local", "other"),
      service("web.demo.svc.cluster.local"),
    ]);
    const domains = hosts.flatMap((host) => host.domains ?? []).map((domain) => domain.toLowerCase());
    assert.equal(new Set(domains).size, domains.length);
    assert.equal(new Set(hosts.map(({ name }) => name)).size, hosts.length);
    assert.ok(domains.includes("web.demo"));
  });

  test("a name among the addresses of a STATIC service is left out", () => {
    const [entry, workload] = parseDocuments(
      "a.yaml",
      [
        yaml("ServiceEntry", spec.ServiceEntry("workloadSelector: {labels: {app: a}}")),
        yaml("WorkloadEntry", "address: a.demo, labels: {app: a}"),
      ].join("---\n"),
    ).objects;
    assert.ok(entry !== undefined && workload !== undefined);
    const view = viewOf(buildModel([entry, workload], settings), proxy("REDIRECT"));
    assert.deepEqual(generateEndpoints(view)[0]?.endpoints, []);
  });

  test("a part that cannot be encoded costs itself only, and is told", () => {
    const broken: ConfigObject = {
      kind: "VirtualService",
      name: "broken",
      namespace: "demo",
      source: "a.yaml",
      line: 1,
      spec: {
        hosts: ["b.demo"],
        http: [
          {
            name: undefined,
            match: undefined,
            timeout: undefined,
            route: [
              { destination: { host: "a.demo", subset: undefined, port: undefined }, weight: 2 ** 40 },
              { destination: { host: "b.demo", subset: undefined, port: undefined }, weight: 1 },
            ],
          },
        ],
      },
    };
    const objects = [service("a.demo"), service("b.demo"), service("c.demo")];
    const whole = takeSnapshot(buildModel(objects, settings), proxy("REDIRECT"));
    const { resources, faults } = takeSnapshot(buildModel([...objects, broken], settings), proxy("REDIRECT"));
    assert.deepEqual(
      faults.map(({ part }) => part),
      ["route 80, b.demo:80"],
    );
    assert.match(faults[0]?.reason ?? "", /1099511627776 out of range/);
    const route = Buffer.from(resources.get(typeUrl.route)?.get("80")?.bytes ?? []).toString("latin1");
    for (const [host, isThere] of [
      ["a.demo", true],
      ["b.demo", false],
      ["c.demo", true],
    ] as const)
      assert.equal(route.includes(`${host}:80`), isThere, host);
    for (const type of [typeUrl.cluster, typeUrl.endpoint, typeUrl.listener])
      assert.deepEqual(
        [...(resources.get(type)?.keys() ?? [])],
        [...(whole.resources.get(type)?.keys() ?? [])],
      );
  });

  test("a resource that cannot be encoded at all is as it was before", () => {
    const before = takeSnapshot(buildModel([service("a.demo")], settings), proxy("REDIRECT"));
    const entry = service("a.demo");
    assert.ok(entry.kind === "ServiceEntry");
    const endpoints = [
      {
        address: "10.0.0.2",
        ports: { http: 2 ** 40 },
        labels: undefined,
        serviceAccount: undefined,
        weight: undefined,
      },
    ];
    const model = buildModel([{ ...entry, spec: { ...entry.spec, endpoints } }], settings);
    const name = "outbound|80||a.demo";
    const { resources, faults } = takeSnapshot(model, proxy("NONE"), before.layers);
    assert.deepEqual(
      faults.map(({ part }) => part),
      [`endpoint ${name}`],
    );
    assert.deepEqual(
      resources.get(typeUrl.endpoint)?.get(name),
      before.resources.get(typeUrl.endpoint)?.get(name),
    );
  });
});
