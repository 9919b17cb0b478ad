/** The same for the messages that are about Kubernetes' objects. */
import type { IstioRow } from "./istio-rows.ts";

const object = (kind: string, metadata: object, more: object, apiVersion = "v1"): object => ({
  ...{ apiVersion, kind },
  metadata: { name: "it", namespace: "demo", ...metadata },
  ...more,
});
const namespace = (labels: object): object =>
  object("Namespace", { name: "demo", namespace: undefined, labels }, {});
const enabled = namespace({ "istio-injection": "enabled" });
const disabled = namespace({ "istio-injection": "disabled" });
const app = { name: "app", image: "app:1" };
const proxy = { name: "istio-proxy", image: "istio/proxyv2:1.26" };
const pod = (containers: readonly object[], metadata: object = {}, more: object = {}): object =>
  object("Pod", { labels: { app: "it" }, ...metadata }, { spec: { containers, ...more } });
const deployment = (containers: readonly object[], metadata: object = {}): object =>
  object(
    "Deployment",
    {},
    {
      spec: {
        template: { metadata: { labels: { app: "it" }, ...metadata }, spec: { containers } },
      },
    },
    "apps/v1",
  );
const service = (name: string, port: object, more: object = {}): object =>
  object("Service", { name }, { spec: { selector: { app: "it" }, ports: [port], ...more } });
const annotated = (annotations: object): object => pod([app, proxy], { annotations });
const istio = (kind: string, name: string, spec: object, group = "networking"): object =>
  object(kind, { name }, { spec }, `${group}.istio.io/v1`);
const authentication = istio(
  ...([
    "RequestAuthentication",
    "jwt",
    { jwtRules: [{ issuer: "a", jwksUri: "https://a.example.com/" }] },
  ] as const),
  "security",
);
const gateway = istio("Gateway", "edge", {
  selector: { app: "it" },
  servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }],
});
const byClaim = istio("VirtualService", "claims", {
  hosts: ["a.example.com"],
  gateways: ["edge"],
  http: [
    {
      match: [{ headers: { "@request.auth.claims.group": { exact: "a" } } }],
      route: [{ destination: { host: "api" } }],
    },
  ],
});
const jwt = { jwtRules: [{ issuer: "a", jwksUri: "https://a.example.com/" }] };
const selector = { matchLabels: { app: "it" } };
const ofGatewayApi = pod([proxy], {
  labels: { app: "it", "gateway.networking.k8s.io/gateway-name": "edge" },
});
const subsets = (labels: object): object =>
  istio("DestinationRule", "subsets", { host: "it", subsets: [{ name: "v2", labels }] });
const webhook = (clientConfig: object): object =>
  object(
    "MutatingWebhookConfiguration",
    { namespace: undefined },
    { webhooks: [{ name: "a", clientConfig }] },
  );
const definition = (version: string): object =>
  object(
    "CustomResourceDefinition",
    { namespace: undefined, annotations: { "gateway.networking.k8s.io/bundle-version": version } },
    { spec: { group: "gateway.networking.k8s.io" } },
    "apiextensions.k8s.io/v1",
  );
const injector = object(
  "ConfigMap",
  { name: "istio-sidecar-injector" },
  {
    data: { values: JSON.stringify({ global: { hub: "istio", tag: "1.27", proxy: { image: "proxyv2" } } }) },
  },
);
const place = (
  kind: string,
  path: string,
  name = "it",
): { readonly object: string; readonly path: string } => ({
  object: `${kind} demo/${name}`,
  path,
});
const wide = (
  kind: string,
  path: string,
  name = "it",
): { readonly object: string; readonly path: string } => ({
  object: `${kind} default/${name}`,
  path,
});
const onPod = (name: string): { readonly object: string; readonly path: string } =>
  place("Pod", `metadata.annotations.${name}`);

/** One a code. */
export const kubernetesRows: readonly IstioRow[] = [
  {
    ...{ code: "IST0102", what: "a namespace that does not say whether it is injected" },
    ...{ bad: [namespace({})], good: [disabled, object("Namespace", { name: "kube-system" }, {})] },
    at: wide("Namespace", "metadata.labels", "demo"),
  },
  {
    ...{ code: "IST0103", what: "a pod without its sidecar" },
    bad: [enabled, pod([app])],
    good: [
      enabled,
      pod([app, proxy]),
      pod([app], { name: "out", labels: { "sidecar.istio.io/inject": "false" } }),
      pod([app], { name: "node" }, { hostNetwork: true }),
    ],
    at: place("Pod", "spec.containers"),
  },
  {
    ...{ code: "IST0107", what: "an annotation of pods that a Service has" },
    bad: [object("Service", { annotations: { "sidecar.istio.io/proxyCPU": "1" } }, { spec: {} })],
    good: [annotated({ "sidecar.istio.io/proxyCPU": "1" })],
    at: place("Service", "metadata.annotations.sidecar.istio.io/proxyCPU"),
  },
  {
    ...{ code: "IST0108", what: "an annotation that Istio has not" },
    bad: [annotated({ "sidecar.istio.io/injekt": "true" })],
    good: [annotated({ "example.com/injekt": "true", "internal.istio.io/a": "b" })],
    at: onPod("sidecar.istio.io/injekt"),
  },
  {
    ...{ code: "IST0116", what: "pods whose port two services call otherwise" },
    bad: [
      deployment([app]),
      service("a", { name: "http", port: 80 }),
      service("b", { name: "tcp", port: 80 }),
    ],
    good: [
      deployment([app]),
      service("a", { name: "http", port: 80 }),
      service("b", { name: "http-b", port: 80 }),
    ],
    at: place("Deployment", "spec.template.metadata.labels"),
  },
  {
    ...{ code: "IST0118", what: "a port whose name says no protocol" },
    bad: [service("it", { name: "web", port: 80 })],
    good: [service("it", { name: "http-web", port: 80 }), service("b", { port: 80, appProtocol: "http" })],
    at: place("Service", "spec.ports[0].name"),
  },
  {
    ...{ code: "IST0119", what: "tokens on a port of TCP" },
    bad: [pod([app]), service("it", { name: "tcp", port: 80 }), authentication],
    good: [pod([app]), service("it", { name: "http", port: 80 }), authentication],
    at: place("RequestAuthentication", "spec.jwtRules", "jwt"),
  },
  {
    ...{ code: "IST0123", what: "two labels of injection" },
    bad: [namespace({ "istio-injection": "enabled", "istio.io/rev": "canary" })],
    good: [namespace({ "istio.io/rev": "canary" })],
    at: wide("Namespace", "metadata.labels", "demo"),
  },
  {
    ...{ code: "IST0125", what: "an annotation's value that cannot be read" },
    bad: [annotated({ "traffic.sidecar.istio.io/excludeOutboundPorts": "80,http" })],
    good: [
      annotated({
        "traffic.sidecar.istio.io/excludeOutboundPorts": "80, 443",
        "traffic.sidecar.istio.io/includeOutboundIPRanges": "10.0.0.0/8,fd00::/8",
        "traffic.sidecar.istio.io/includeInboundPorts": "*",
      }),
    ],
    at: onPod("traffic.sidecar.istio.io/excludeOutboundPorts"),
  },
  {
    ...{ code: "IST0135", what: "an annotation that goes away" },
    bad: [deployment([app], { annotations: { "sidecar.istio.io/inject": "true" } })],
    good: [deployment([app], { labels: { "sidecar.istio.io/inject": "true" } })],
    at: place("Deployment", "spec.template.metadata.annotations.sidecar.istio.io/inject"),
  },
  {
    ...{ code: "IST0136", what: "an annotation that may change" },
    bad: [annotated({ "proxy.istio.io/overrides": "{}" })],
    good: [annotated({ "proxy.istio.io/config": "concurrency: 2" })],
    at: onPod("proxy.istio.io/overrides"),
  },
  {
    ...{ code: "IST0137", what: "pods whose port two services have as different ones" },
    bad: [
      deployment([app]),
      service("a", { name: "http", port: 80, targetPort: 8080 }),
      service("b", { name: "http", port: 81, targetPort: 8080 }),
    ],
    good: [
      deployment([app]),
      service("a", { name: "http", port: 80, targetPort: 8080 }),
      service("b", { name: "http", port: 80, targetPort: 8080 }),
    ],
    at: place("Deployment", "spec.template.metadata.labels"),
  },
  {
    ...{ code: "IST0139", what: "a webhook whose Service is not there" },
    bad: [
      service("other", { name: "https", port: 443 }),
      webhook({ service: { name: "istiod", namespace: "demo" } }),
    ],
    good: [
      service("istiod", { name: "https", port: 443 }),
      webhook({ service: { name: "istiod", namespace: "demo" } }),
    ],
    at: wide("MutatingWebhookConfiguration", "webhooks[0].clientConfig.service"),
  },
  {
    ...{ code: "IST0144", what: "an application with the user of the sidecar" },
    bad: [pod([{ ...app, securityContext: { runAsUser: 1337 } }, proxy])],
    good: [
      pod([{ ...app, securityContext: { runAsUser: 1337 } }], { name: "out" }),
      pod([proxy], { name: "router" }, { securityContext: { runAsUser: 1337 } }),
      pod([app, { ...proxy, securityContext: { runAsUser: 1337 } }]),
    ],
    at: place("Pod", "spec.containers[0].securityContext.runAsUser"),
  },
  {
    ...{ code: "IST0146", what: "image: auto where nothing is injected" },
    bad: [disabled, deployment([{ ...proxy, image: "auto" }])],
    good: [
      disabled,
      deployment([{ ...proxy, image: "auto" }], { labels: { "sidecar.istio.io/inject": "true" } }),
    ],
    at: place("Deployment", "spec.template.spec.containers[0].image"),
  },
  {
    ...{ code: "IST0147", what: "the same of a pod" },
    bad: [disabled, pod([{ ...proxy, image: "auto" }])],
    good: [enabled, pod([{ ...proxy, image: "auto" }])],
    at: place("Pod", "spec.containers[0].image"),
  },
  {
    ...{ code: "IST0149", what: "a route by claims that nobody checks" },
    bad: [gateway, byClaim],
    good: [gateway, authentication, byClaim],
    at: place("VirtualService", "spec.http[0].match[0].headers", "claims"),
  },
  {
    ...{ code: "IST0150", what: "an external name on a port of TCP" },
    bad: [service("it", { name: "tcp", port: 443 }, { type: "ExternalName", externalName: "a.example.com" })],
    good: [
      service("it", { name: "https", port: 443 }, { type: "ExternalName", externalName: "a.example.com" }),
    ],
    at: place("Service", "spec.ports[0].name"),
  },
  {
    ...{ code: "IST0156", what: "a Gateway API before v1" },
    ...{ bad: [definition("v0.8.1")], good: [definition("v1.3.0")] },
    at: wide("CustomResourceDefinition", "metadata.annotations.gateway.networking.k8s.io/bundle-version"),
  },
  {
    ...{ code: "IST0158", what: "a sidecar of another release" },
    bad: [injector, pod([app, proxy])],
    good: [injector, pod([app, { ...proxy, image: "istio/proxyv2:1.27" }])],
    at: place("Pod", "spec.containers[1].image"),
  },
  {
    ...{ code: "IST0162", what: "a Gateway's port that no Service leads to" },
    bad: [pod([proxy]), service("it", { name: "http", port: 80, targetPort: 8080 }), gateway],
    good: [pod([proxy]), service("it", { name: "http", port: 80 }), gateway],
    at: place("Gateway", "spec.servers[0].port.number", "edge"),
  },
  {
    ...{ code: "IST0164", what: "a webhook at an address" },
    bad: [webhook({ url: "https://10.0.0.1:15017/inject" })],
    good: [webhook({ url: "https://istiod.example.com:15017/inject" })],
    at: wide("MutatingWebhookConfiguration", "webhooks[0].clientConfig.url"),
  },
  {
    ...{ code: "IST0166", what: "a selector of a Gateway's pods of the Gateway API" },
    bad: [ofGatewayApi, istio("RequestAuthentication", "jwt", { ...jwt, selector }, "security")],
    good: [
      ofGatewayApi,
      istio(
        "RequestAuthentication",
        "jwt",
        { ...jwt, targetRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "edge" }] },
        "security",
      ),
      pod([app, proxy], { labels: { app: "other" } }),
      istio(
        "RequestAuthentication",
        "other",
        { ...jwt, selector: { matchLabels: { app: "other" } } },
        "security",
      ),
    ],
    at: place("RequestAuthentication", "spec.selector", "jwt"),
  },
  {
    ...{ code: "IST0173", what: "a subset that no pod is in" },
    bad: [pod([app]), service("it", { name: "http", port: 80 }), subsets({ version: "v2" })],
    good: [
      pod([app], { labels: { app: "it", version: "v2" } }),
      service("it", { name: "http", port: 80 }),
      subsets({ version: "v2", "topology.kubernetes.io/region": "a" }),
    ],
    at: place("DestinationRule", "spec.subsets[0].labels", "subsets"),
  },
  {
    ...{ code: "IST0174", what: "a rule for a host that is no service" },
    bad: [service("other", { name: "http", port: 80 }), subsets({})],
    // Of a namespace without any service nothing is known.
    good: [
      service("it", { name: "http", port: 80 }),
      subsets({}),
      istio("DestinationRule", "elsewhere", { host: "it.elsewhere.svc.cluster.local" }),
      istio("DestinationRule", "all", { host: "*.demo.svc.cluster.local" }),
    ],
    at: place("DestinationRule", "spec.host", "subsets"),
  },
];
