/** One valid object of each kind with every field that this control plane reads, and ways to damage it. */
import assert from "node:assert/strict";
import type { Kinds } from "../../src/controlplane/config/objects.ts";
import { apiVersionsOf, kinds, writtenKind } from "../../src/controlplane/config/schema.ts";

const port = { number: 80, name: "http", protocol: "HTTP", targetPort: 8080 };

/** A root that signed itself; nobody has its key. */
const rootPem =
  "-----BEGIN CERTIFICATE-----\n" +
  "MIIBdTCCARugAwIBAgIUJVsOQ5nGi5o3u120plr3RsyBJE4wCgYIKoZIzj0EAwIw\n" +
  "DzENMAsGA1UEAwwEcm9vdDAgFw0yNjExMzAxMTA1MzFaGA8yMTI2MTEwNjExMDUz\n" +
  "MVowDzENMAsGA1UEAwwEcm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABK6I\n" +
  "IEDBH5C16FghTbZSuQxplyq4V0iCg9Bxd5k+geCTSfSNJ7vmO362cEjG/wLvHK00\n" +
  "qv4cb64GS14QSt6eg3yjUzBRMB0GA1UdDgQWBBQQXoyRc+hWky73IXgOl90J/WP/\n" +
  "JTAfBgNVHSMEGDAWgBQQXoyRc+hWky73IXgOl90J/WP/JTAPBgNVHRMBAf8EBTAD\n" +
  "AQH/MAoGCCqGSM49BAMCA0gAMEUCIF+s6z4nJiTjSNxNdm/vZsblWUjpUFuDGcsF\n" +
  "sNdpa/ZyAiEArc0bTk27U0ph+QcRo0N+O570OkmXmxBy4Kyw87QLB/Y=\n" +
  "-----END CERTIFICATE-----\n";

const header = { name: "x-a", value: "1" };
const backend = { group: "", kind: "Service", namespace: "demo", name: "api", port: 80 };
const headerFilters = [
  { type: "RequestHeaderModifier", requestHeaderModifier: { set: [header], add: [header], remove: ["x-b"] } },
  { type: "ResponseHeaderModifier", responseHeaderModifier: { set: [header] } },
];
const mirror = { type: "RequestMirror", requestMirror: { backendRef: backend, percent: 5 } };
const extension = {
  type: "ExtensionRef",
  extensionRef: { group: "example.com", kind: "Limit", name: "slow" },
};
const parentRefs = [
  {
    group: "gateway.networking.k8s.io",
    kind: "Gateway",
    namespace: "demo",
    name: "shop",
    sectionName: "http",
    port: 80,
  },
];

const wasm = {
  url: "oci://registry.example.com/filter:v1",
  sha256: "0".repeat(64),
  imagePullPolicy: "Always",
  imagePullSecret: "registry",
  pluginConfig: { limits: [1, { any: null }] },
  pluginName: "root",
  failStrategy: "FAIL_OPEN",
  vmConfig: {
    env: [
      { name: "LEVEL", valueFrom: "INLINE", value: "1" },
      { name: "POD_NAME", valueFrom: "HOST" },
    ],
  },
  type: "HTTP",
};
const extended = {
  selector: { matchLabels: { app: "api" } },
  phase: "AUTHN",
  priority: 10,
  match: [{ mode: "SERVER", ports: [{ number: 80 }] }],
};

const specs: Readonly<Record<keyof Kinds, object>> = {
  ServiceEntry: {
    hosts: ["api.demo"],
    addresses: ["10.96.0.1"],
    ports: [port, { number: 90, name: "tcp" }],
    location: "MESH_INTERNAL",
    resolution: "STATIC",
    endpoints: [
      {
        address: "10.0.0.1",
        ports: { http: 8080 },
        labels: { app: "api" },
        serviceAccount: "api",
        weight: 1,
      },
    ],
  },
  WorkloadEntry: {
    address: "10.0.0.1",
    ports: { http: 8080 },
    labels: { app: "api" },
    serviceAccount: "api",
    weight: 1,
  },
  WorkloadGroup: {
    metadata: { labels: { app: "api" }, annotations: { note: "a" } },
    template: {
      ports: { http: 8080 },
      labels: { version: "v1" },
      locality: "region/zone",
      serviceAccount: "api",
      weight: 1,
      network: "office",
    },
    probe: {
      initialDelaySeconds: 1,
      timeoutSeconds: 2,
      periodSeconds: 3,
      successThreshold: 1,
      failureThreshold: 3,
      httpGet: {
        path: "/healthz",
        port: 8080,
        host: "127.0.0.1",
        scheme: "HTTP",
        httpHeaders: [{ name: "x-a", value: "1" }],
      },
    },
  },
  VirtualService: {
    hosts: ["api.demo"],
    http: [
      {
        name: "all",
        match: [
          {
            name: "some",
            uri: { prefix: "/" },
            method: { exact: "GET" },
            authority: { exact: "api.demo" },
            headers: { "x-user": { regex: ".+" } },
            ignoreUriCase: true,
          },
        ],
        route: [
          { destination: { host: "api.demo", subset: "v1", port: { number: 80 } }, weight: 1 },
          { destination: { host: "api.demo" }, weight: 1 },
        ],
        timeout: "1s",
      },
    ],
  },
  DestinationRule: {
    host: "api.demo",
    trafficPolicy: { tls: { mode: "ISTIO_MUTUAL" }, loadBalancer: { simple: "RANDOM" } },
    subsets: [
      { name: "v1", labels: { version: "v1" } },
      { name: "v2", labels: { version: "v2" } },
    ],
  },
  PeerAuthentication: {
    selector: { matchLabels: { app: "api" } },
    mtls: { mode: "STRICT" },
    portLevelMtls: { "8080": { mode: "DISABLE" } },
  },
  EnvoyFilter: {
    workloadSelector: { labels: { app: "api" } },
    priority: 1,
    configPatches: [
      {
        applyTo: "HTTP_FILTER",
        match: {
          context: "SIDECAR_INBOUND",
          proxy: { proxyVersion: "^1\\..*", metadata: { a: "b" } },
          listener: {
            portNumber: 8080,
            filterChain: {
              filter: {
                name: "envoy.filters.network.http_connection_manager",
                subFilter: { name: "envoy.filters.http.router" },
              },
            },
          },
        },
        patch: {
          operation: "INSERT_BEFORE",
          value: {
            name: "envoy.filters.http.lua",
            typed_config: {
              "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
              default_source_code: { inline_string: "function envoy_on_request(h) end" },
            },
          },
        },
      },
    ],
  },
  ProxyConfig: {
    selector: { matchLabels: { app: "api" } },
    concurrency: 2,
    environmentVariables: { LEVEL: "1" },
    image: { imageType: "distroless" },
  },
  WasmPlugin: { ...extended, ...wasm },
  TrafficExtension: { ...extended, wasm },
  Telemetry: {
    selector: { matchLabels: { app: "api" } },
    accessLogging: [{ providers: [{ name: "envoy" }], filter: { expression: "response.code >= 400" } }],
    tracing: [
      {
        providers: [{ name: "zipkin" }],
        randomSamplingPercentage: 50,
        customTags: { a: { literal: { value: "b" } } },
      },
    ],
  },
  Sidecar: {
    workloadSelector: { labels: { app: "api" } },
    ingress: [
      { port: { ...port }, bind: "127.0.0.1", captureMode: "NONE", defaultEndpoint: "127.0.0.1:8080" },
      { port: { number: 90, name: "tcp" }, defaultEndpoint: "unix:///run/api.sock" },
    ],
    egress: [{ port: { ...port }, bind: "127.0.0.1", captureMode: "NONE", hosts: ["./*"] }],
    outboundTrafficPolicy: { mode: "REGISTRY_ONLY" },
  },
  AuthorizationPolicy: {
    selector: { matchLabels: { app: "api" } },
    action: "ALLOW",
    rules: [
      {
        from: [
          {
            source: {
              principals: ["cluster.local/ns/demo/sa/web"],
              notPrincipals: ["*/sa/bad"],
              requestPrincipals: ["*"],
              notRequestPrincipals: ["a/b"],
              namespaces: ["demo"],
              notNamespaces: ["other"],
              ipBlocks: ["10.0.0.0/8"],
              notIpBlocks: ["10.1.0.1"],
              remoteIpBlocks: ["10.0.0.0/8"],
              notRemoteIpBlocks: ["10.1.0.1"],
            },
          },
        ],
        to: [
          {
            operation: {
              hosts: ["api.demo"],
              notHosts: ["*.bad"],
              ports: ["8080"],
              notPorts: ["9090"],
              methods: ["GET"],
              notMethods: ["POST"],
              paths: ["/a*"],
              notPaths: ["/b"],
            },
          },
        ],
        when: [{ key: "request.headers[x-user]", values: ["a"], notValues: ["b"] }],
      },
    ],
  },
  Gateway: {
    selector: { app: "api" },
    servers: [
      {
        name: "web",
        port: { number: 443, name: "https", protocol: "HTTPS" },
        bind: "10.0.0.9",
        hosts: ["demo/api.example.com"],
        tls: {
          mode: "MUTUAL",
          serverCertificate: "/a.crt",
          privateKey: "/a.key",
          caCertificates: "/ca.crt",
          subjectAltNames: ["a.example.com"],
          minProtocolVersion: "TLSV1_2",
          maxProtocolVersion: "TLSV1_3",
          cipherSuites: ["ECDHE-RSA-AES256-GCM-SHA384"],
        },
      },
      { port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"], tls: { httpsRedirect: true } },
    ],
  },
  KubernetesGateway: {
    gatewayClassName: "istio",
    addresses: [{ type: "Hostname", value: "ingress" }],
    listeners: [
      {
        name: "https",
        hostname: "*.example.com",
        port: 443,
        protocol: "HTTPS",
        tls: {
          mode: "Terminate",
          certificateRefs: [{ group: "", kind: "Secret", namespace: "demo", name: "shop" }],
          options: { "gateway.istio.io/tls-terminate-mode": "MUTUAL" },
        },
        allowedRoutes: {
          namespaces: {
            from: "Selector",
            selector: {
              matchLabels: { team: "shop" },
              matchExpressions: [{ key: "tier", operator: "In", values: ["front"] }],
            },
          },
          kinds: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute" }],
        },
      },
      { name: "tcp", port: 5432, protocol: "TCP" },
    ],
  },
  GatewayClass: { controllerName: "istio.io/gateway-controller", description: "", parametersRef: {} },
  HTTPRoute: {
    parentRefs,
    hostnames: ["shop.example.com"],
    rules: [
      {
        name: "first",
        matches: [
          {
            path: { type: "PathPrefix", value: "/a" },
            headers: [{ type: "Exact", ...header }],
            queryParams: [{ type: "RegularExpression", name: "q", value: ".+" }],
            method: "GET",
          },
        ],
        filters: [
          ...headerFilters,
          mirror,
          {
            type: "URLRewrite",
            urlRewrite: {
              hostname: "a.example.com",
              path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/b" },
            },
          },
          {
            type: "CORS",
            cors: {
              allowOrigins: ["https://*.example.com"],
              allowCredentials: true,
              allowMethods: ["GET"],
              allowHeaders: ["x-a"],
              exposeHeaders: ["x-b"],
              maxAge: 60,
            },
          },
          extension,
        ],
        backendRefs: [{ ...backend, weight: 1, filters: headerFilters }],
        timeouts: { request: "10s", backendRequest: "1s" },
        retry: { codes: [503], attempts: 1, backoff: "1s" },
      },
      {
        filters: [
          {
            type: "RequestRedirect",
            requestRedirect: {
              scheme: "https",
              hostname: "b.example.com",
              path: { type: "ReplaceFullPath", replaceFullPath: "/" },
              port: 8443,
              statusCode: 301,
            },
          },
        ],
      },
    ],
  },
  GRPCRoute: {
    parentRefs,
    hostnames: ["shop.example.com"],
    rules: [
      {
        name: "first",
        matches: [
          { method: { type: "Exact", service: "shop.Carts", method: "Get" }, headers: [{ ...header }] },
        ],
        filters: [...headerFilters, mirror, extension],
        backendRefs: [{ ...backend, weight: 1, filters: headerFilters }],
      },
    ],
  },
  TLSRoute: {
    parentRefs,
    hostnames: ["shop.example.com"],
    rules: [{ name: "first", backendRefs: [{ ...backend, weight: 1 }] }],
  },
  TCPRoute: { parentRefs, rules: [{ name: "first", backendRefs: [{ ...backend, weight: 1 }] }] },
  ReferenceGrant: {
    from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "demo" }],
    to: [{ group: "", kind: "Service", name: "api" }],
  },
  Namespace: { spec: { finalizers: ["kubernetes"] } },
  Secret: { type: "Opaque", immutable: true, stringData: { "ca.crt": rootPem }, data: { other: "YQ==" } },
  RequestAuthentication: {
    selector: { matchLabels: { app: "api" } },
    jwtRules: [
      {
        issuer: "https://issuer.example.com",
        audiences: ["api"],
        jwks: '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}',
        fromHeaders: [{ name: "x-token", prefix: "Bearer " }],
        fromParams: ["token"],
        fromCookies: ["token"],
        outputPayloadToHeader: "x-payload",
        outputClaimToHeaders: [{ header: "x-sub", claim: "sub" }],
        forwardOriginalToken: true,
      },
      { issuer: "https://other.example.com", jwksUri: "https://other.example.com/keys", timeout: "2s" },
    ],
  },
};

/** In which nothing is there twice: what damages one field leaves all others. */
function copyOf(kind: keyof Kinds): object {
  return JSON.parse(JSON.stringify(specs[kind])) as object;
}

/** In place of a value: the field is taken out. */
export const absent = Symbol("absent");

/** An object of the kind, in which the field at `path` is `value`. */
export function objectWith(kind: keyof Kinds, path: string, value: unknown): object {
  const whole = {
    apiVersion: apiVersionsOf(kind)[0],
    kind: writtenKind(kind),
    metadata: { name: "api", namespace: "demo", labels: { a: "b" }, annotations: { a: "b" } },
    ...(kinds[kind].isBare === true ? copyOf(kind) : { spec: copyOf(kind) }),
  };
  const steps = [...path.matchAll(/[^.[\]]+/g)].map(([step]) => step);
  const last = steps.pop();
  assert.ok(last !== undefined, path);
  let at: object = whole;
  for (const step of steps) {
    const next: unknown = Reflect.get(at, step);
    assert.ok(typeof next === "object" && next !== null, `${path} leads nowhere`);
    at = next;
  }
  if (value === absent) Reflect.deleteProperty(at, last);
  else Reflect.set(at, last, value);
  return whole;
}
