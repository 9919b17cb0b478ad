/** One valid object of each kind with every field that this control plane reads, and ways to damage it. */
import assert from "node:assert/strict";
import type { Kinds } from "../../src/controlplane/config/objects.ts";

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
    ],
  },
};

/** In place of a value: the field is taken out. */
export const absent = Symbol("absent");

/** An object of the kind, in which the field at `path` is `value`. */
export function objectWith(kind: keyof Kinds, path: string, value: unknown): object {
  const isSecurity = ["PeerAuthentication", "AuthorizationPolicy", "RequestAuthentication"].includes(kind);
  const group = isSecurity ? "security" : "networking";
  const whole = {
    apiVersion: kind === "Secret" ? "v1" : `${group}.istio.io/v1`,
    kind,
    metadata: { name: "api", namespace: "demo", labels: { a: "b" }, annotations: { a: "b" } },
    ...(kind === "Secret" ? structuredClone(specs[kind]) : { spec: structuredClone(specs[kind]) }),
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
