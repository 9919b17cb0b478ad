/**
 * Meshes of made objects, few of whose names, ports and addresses differ: what one object wants another has already.
 * What validation refuses is not among them.
 */
import { stringify } from "yaml";
import { isCovered } from "../../src/controlplane/config/host-names.ts";
import type { ConfigObject } from "../../src/controlplane/config/objects.ts";
import { parseDocuments } from "../../src/controlplane/config/parse-documents.ts";
import { buildModel } from "../../src/controlplane/model/build-model.ts";
import type { Model } from "../../src/controlplane/model/model.ts";
import { parseProxy, type Proxy } from "../../src/controlplane/model/proxy.ts";
import { Choice } from "./random-choice.ts";
import { randomGatewayApi } from "./random-gateway-api.ts";

const namespaces = ["demo", "shop", "istio-system"] as const;
const hosts = [
  ...[
    "api.demo.svc.cluster.local",
    "API.demo.svc.cluster.local",
    "api.demo",
    "api",
    "web.shop.svc.cluster.local",
  ],
  ...["*.demo.svc.cluster.local", "a.example.com", "*.example.com", "*.a.example.com", "b.example.com."],
] as const;
const subsets = ["v1", "v2", "V1"] as const;

export interface RandomMesh {
  readonly objects: readonly ConfigObject[];
  readonly model: Model;
  readonly proxies: readonly Proxy[];
}

/** The mesh of a seed. */
export function randomMesh(seed: number): RandomMesh {
  const choice = new Choice(seed);
  const kinds = [serviceEntry, serviceEntry, serviceEntry, virtualService, virtualService, destinationRule];
  const others = [gateway, workloadEntry, sidecar, peerAuthentication, authorizationPolicy];
  const made = choice.list(4, 16, () => choice.of(...kinds, ...others)(choice));
  const named = made.map(({ kind, spec }, index) => ({
    apiVersion: `${kind.endsWith("tion") || kind.endsWith("Policy") ? "security" : "networking"}.istio.io/v1`,
    kind,
    metadata: {
      name: `o${index}`,
      namespace: choice.of(...namespaces),
      creationTimestamp: choice.maybe(() => `2026-01-0${1 + choice.below(3)}T00:00:00Z`),
    },
    spec,
  }));
  // Chosen apart: meshes have what they had without.
  const all = [...named, ...randomGatewayApi(new Choice(seed + 1_000_000))];
  const text = all.map((object) => stringify(object, { keepUndefined: false })).join("---\n");
  const { objects } = parseDocuments("random.yaml", text);
  const proxy = (metadata: object, id = "sidecar~10.0.0.1~web-1.demo~demo.svc.cluster.local"): Proxy => {
    const parsed = parseProxy({
      id,
      metadata: { LABELS: { app: "web" }, SERVICE_ACCOUNT: "web", ...metadata },
      locality: { region: "eu", zone: "a" },
    });
    if (parsed === undefined) throw new Error(id);
    return parsed;
  };
  return {
    objects,
    model: buildModel(objects, { trustDomains: ["cluster.local"], rootNamespace: "istio-system" }),
    proxies: [
      proxy({}),
      proxy({ INTERCEPTION_MODE: "NONE" }),
      proxy({ INSTANCE_IPS: "10.0.0.1,2001:db8::1" }, "sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local"),
      proxy({}, "router~10.0.0.9~gateway-1.istio-system~istio-system.svc.cluster.local"),
      proxy(
        { LABELS: { app: "web", "gateway.networking.k8s.io/gateway-name": "shop" } },
        "router~10.0.0.9~shop-1.demo~demo.svc.cluster.local",
      ),
    ],
  };
}

interface Made {
  readonly kind: string;
  readonly spec: object;
}

const exportTo = (choice: Choice): string[] | undefined =>
  choice.maybe(() => [choice.of<string>("*", ".", "demo", "shop")]);

function serviceEntry(choice: Choice): Made {
  const resolution = choice.of("STATIC", "STATIC", "DNS", "DNS_ROUND_ROBIN", "NONE");
  const address = (): string =>
    resolution.startsWith("DNS")
      ? choice.of("x.example.com", "10.0.0.1")
      : choice.of("10.0.0.1", "10.0.0.2", "2001:db8::1");
  const ports = choice.list(1, 3, () => ({
    number: choice.of(80, 81, 443, 9000, 15_001, 15_006),
    protocol: choice.of("HTTP", "http", "HTTP2", "GRPC", "TCP", "TLS", "HTTPS", "MYSQL", undefined),
    targetPort: choice.of(undefined, 8080, 9090),
  }));
  const unique = ports.filter(
    (port, index) => ports.findIndex(({ number }) => number === port.number) === index,
  );
  const endpoints =
    resolution === "NONE"
      ? undefined
      : choice.list(0, resolution === "DNS_ROUND_ROBIN" ? 1 : 3, () => ({
          address: address(),
          labels: choice.maybe(() => ({ version: choice.of(...subsets) })),
          serviceAccount: choice.of(undefined, "api", "web"),
          locality: choice.of(undefined, "eu", "eu/a/1"),
          weight: choice.of(undefined, 0, 7),
        }));
  const addresses = [
    ...["10.96.0.1", "10.96.0.1", "2001:db8::9", "2001:DB8:0::9"],
    ...["10.97.0.0/16", "10.97.3.4/16", "10.98.0.0/24"],
  ];
  return {
    kind: "ServiceEntry",
    spec: {
      hosts: [...new Set(choice.list(1, 2, () => choice.of(...hosts)))],
      addresses: choice.maybe(() => [...new Set(choice.list(1, 2, () => choice.of(...addresses)))]),
      ports: unique.map((port, index) => ({ ...port, name: `p${index}` })),
      location: choice.of(undefined, "MESH_INTERNAL", "MESH_EXTERNAL"),
      resolution,
      ...(endpoints !== undefined && endpoints.length > 0
        ? { endpoints }
        : { workloadSelector: choice.maybe(() => ({ labels: { app: "web" } })) }),
      exportTo: exportTo(choice),
    },
  };
}

function workloadEntry(choice: Choice): Made {
  const address = choice.of("10.0.0.1", "10.0.0.3", "x.example.com");
  return { kind: "WorkloadEntry", spec: { address, labels: { app: "web" }, serviceAccount: "web" } };
}

const destination = (choice: Choice): object => ({
  host: choice.of(...hosts),
  subset: choice.maybe(() => choice.of(...subsets)),
  port: choice.maybe(() => ({ number: choice.of(80, 81, 443) })),
});

function virtualService(choice: Choice): Made {
  const weighted = (): object[] =>
    choice.list(1, 2, () => ({ destination: destination(choice), weight: 1 + choice.below(9) }));
  const value = (): object => choice.of({ exact: "/a" }, { prefix: "/a" }, { regex: "/[ab]+" });
  const http = (): object => ({
    match: choice.maybe(() =>
      choice.list(1, 2, () => ({
        uri: choice.maybe(value),
        headers: choice.maybe(() => ({ "x-a": choice.of<object>({}, value()) })),
        withoutHeaders: choice.maybe(() => ({ "x-b": choice.of<object>({}, value()) })),
        queryParams: choice.maybe(() => ({ q: choice.of<object>({}, value()) })),
        method: choice.maybe(() => ({ exact: "GET" })),
        sourceLabels: choice.maybe(() => ({ app: choice.of("web", "api") })),
        port: choice.maybe(() => choice.of(80, 81)),
      })),
    ),
    ...choice.of<object>(
      {
        route: weighted(),
        rewrite: choice.maybe(() => ({ uri: choice.of("/", "/b\\1"), authority: "b.example.com" })),
      },
      {
        route: weighted(),
        timeout: choice.of(undefined, "1ms", "1m30s"),
        retries: choice.maybe(() => ({
          attempts: 1 + choice.below(2),
          retryOn: choice.of(undefined, "503,reset", "5xx"),
          perTryTimeout: choice.of(undefined, "25ms"),
          retryRemoteLocalities: choice.of(undefined, true),
        })),
        fault: choice.maybe(() =>
          choice.of<object>({ delay: { fixedDelay: "1s" } }, { abort: { grpcStatus: "UNAVAILABLE" } }),
        ),
        mirror: choice.maybe(() => destination(choice)),
        corsPolicy: choice.maybe(() => ({ allowOrigins: [value()], maxAge: "1h" })),
        headers: choice.maybe(() => ({
          request: { set: { Host: "b.example.com", "x-c": "1" }, remove: ["x-d"] },
        })),
      },
      { redirect: { uri: "/c", redirectCode: choice.of(301, 302, 307) } },
      { directResponse: { status: 503, body: choice.maybe(() => ({ string: "no" })) } },
    ),
  });
  const own: (typeof hosts)[number][] = [];
  for (const host of choice.list(1, 2, () => choice.of(...hosts)))
    if (!own.some((other) => isCovered(host, other) || isCovered(other, host))) own.push(host);
  const tls = (): object => ({
    match: [{ port: 443, sniHosts: [choice.of(...own)] }],
    route: weighted(),
  });
  const tcp = (): object => ({
    match: choice.maybe(() => [
      {
        port: choice.of(443, 9000),
        destinationSubnets: choice.maybe(() => ["10.97.0.0/16", "10.97.9.9/16"]),
      },
    ]),
    route: weighted(),
  });
  return {
    kind: "VirtualService",
    spec: {
      hosts: own,
      gateways: choice.of(undefined, undefined, ["mesh", "demo/o1", "shop/o2"], ["o1", "o2", "o3", "o4"]),
      http: choice.maybe(() => choice.list(1, 3, http)),
      tls: choice.maybe(() => choice.list(1, 2, tls)),
      tcp: choice.list(choice.below(2), 2, tcp),
      exportTo: exportTo(choice),
    },
  };
}

function destinationRule(choice: Choice): Made {
  const policy = (): object => ({
    loadBalancer: choice.maybe(() =>
      choice.of<object>(
        { simple: choice.of("RANDOM", "ROUND_ROBIN", "PASSTHROUGH", "UNSPECIFIED") },
        { simple: "LEAST_REQUEST", warmupDurationSecs: "10s" },
        {
          localityLbSetting: choice.of<object>(
            { failover: [{ from: "eu", to: "us" }] },
            { failoverPriority: ["version", "topology.kubernetes.io/zone"] },
            { distribute: [{ from: "*", to: { "eu/*": 30, "us/*": 70 } }] },
          ),
        },
        {
          consistentHash: choice.of<object>(
            { useSourceIp: true },
            { httpCookie: { name: "c", ttl: "0s" } },
            { httpHeaderName: "x", maglev: { tableSize: 101 } },
          ),
        },
      ),
    ),
    connectionPool: choice.maybe(() => ({
      tcp: {
        maxConnections: choice.below(3),
        connectTimeout: "30ms",
        idleTimeout: choice.of(undefined, "1h"),
        tcpKeepalive: { time: "1ms" },
      },
      http: choice.maybe(() => ({
        ...choice.of<object>(
          { h2UpgradePolicy: choice.of("DEFAULT", "UPGRADE") },
          { useClientProtocol: true },
        ),
        maxRequestsPerConnection: choice.below(2),
      })),
    })),
    outlierDetection: choice.maybe(() => ({
      consecutive5xxErrors: choice.below(2),
      interval: "1ms",
      minHealthPercent: choice.of(0, 50),
    })),
    tls: choice.maybe(() => ({
      mode: choice.of("DISABLE", "SIMPLE", "ISTIO_MUTUAL", "MUTUAL"),
      clientCertificate: "/a",
      privateKey: "/b",
      sni: choice.of(undefined, "s.example.com"),
    })),
  });
  const whole = (): object => ({
    ...policy(),
    portLevelSettings: choice.maybe(() => [{ port: { number: choice.of(80, 443) }, ...policy() }]),
  });
  const names = [...new Set(choice.list(0, 3, () => choice.of(...subsets)))];
  return {
    kind: "DestinationRule",
    spec: {
      host: choice.of(...hosts, "*"),
      trafficPolicy: choice.maybe(whole),
      subsets: names.map((name) => ({ name, labels: { version: name }, trafficPolicy: choice.maybe(whole) })),
      exportTo: exportTo(choice),
      workloadSelector: choice.of(undefined, undefined, { matchLabels: { app: "web" } }),
    },
  };
}

function gateway(choice: Choice): Made {
  const secured = (): object => ({
    mode: choice.of("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL", "ISTIO_MUTUAL", "PASSTHROUGH", "AUTO_PASSTHROUGH"),
  });
  const files = { serverCertificate: "/a.crt", privateKey: "/a.key", caCertificates: "/ca.crt" };
  const server = (): object => {
    const protocol = choice.of("HTTP", "HTTP2", "TCP", "TLS", "HTTPS", "HTTPS");
    const tls = { ...secured(), ...(choice.below(2) === 0 ? { credentialName: "a" } : files) };
    return {
      port: { number: choice.of(80, 81, 443), name: `p${choice.below(1_000_000)}`, protocol },
      bind: choice.of(undefined, undefined, "10.0.0.9", "0.0.0.0"),
      hosts: [...new Set(choice.list(1, 2, () => choice.of(...hosts, "*", "./*", "*/a.example.com")))],
      tls:
        protocol === "TLS" || protocol === "HTTPS"
          ? choice.of<object>(tls, { mode: "ISTIO_MUTUAL" })
          : protocol === "TCP"
            ? undefined
            : choice.maybe(() => ({ httpsRedirect: true })),
    };
  };
  return {
    kind: "Gateway",
    spec: { selector: choice.maybe(() => ({ app: "web" })), servers: choice.list(1, 3, server) },
  };
}

function sidecar(choice: Choice): Made {
  const port = (): object => ({
    number: choice.of(80, 443, 7000),
    name: "p",
    protocol: choice.of("HTTP", "TCP", "GRPC", "TLS", undefined),
  });
  const seen = (): string[] =>
    choice.list(1, 2, () => choice.of("./*", "*/*", "shop/*", "demo/*.example.com", "~/*"));
  return {
    kind: "Sidecar",
    spec: {
      workloadSelector: choice.maybe(() => ({ labels: { app: "web" } })),
      ingress: choice.maybe(() => [{ port: port(), defaultEndpoint: "127.0.0.1:8080" }]),
      egress: choice.maybe(() => [
        {
          port: port(),
          bind: choice.of(undefined, "127.0.0.2", "::", "0.0.0.0"),
          captureMode: choice.of(undefined, "NONE"),
          hosts: seen(),
        },
        { hosts: seen() },
      ]),
      outboundTrafficPolicy: { mode: choice.of("ALLOW_ANY", "REGISTRY_ONLY") },
    },
  };
}

function peerAuthentication(choice: Choice): Made {
  const mode = (): object => ({ mode: choice.of("STRICT", "PERMISSIVE", "DISABLE", "UNSET") });
  const selects = choice.below(2) === 0;
  return {
    kind: "PeerAuthentication",
    spec: {
      mtls: choice.maybe(mode),
      ...(selects
        ? { selector: { matchLabels: { app: "web" } }, portLevelMtls: { "8080": mode(), "7": mode() } }
        : {}),
    },
  };
}

function authorizationPolicy(choice: Choice): Made {
  const source = choice.of<object>(
    { principals: ["*"] },
    { notNamespaces: ["a*"] },
    { ipBlocks: ["10.0.0.0/8", "::1"] },
    { requestPrincipals: ["*"] },
  );
  const operation = choice.of<object>(
    { paths: ["/a/{*}", "*"] },
    { ports: ["80"] },
    { hosts: ["*.a"], notMethods: ["GET"] },
  );
  return {
    kind: "AuthorizationPolicy",
    spec: {
      action: choice.of("ALLOW", "DENY", "AUDIT", undefined),
      rules: choice.maybe(() => [
        { from: choice.maybe(() => [{ source }]), to: choice.maybe(() => [{ operation }]) },
      ]),
    },
  };
}
