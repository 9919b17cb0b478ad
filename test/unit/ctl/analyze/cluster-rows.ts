/** The same for the messages that are about what a cluster says of its objects, and what it is set to. */
import type { IstioRow } from "./istio-rows.ts";

const object = (apiVersion: string, kind: string, metadata: object, more: object): object => ({
  ...{ apiVersion, kind },
  metadata: { name: "it", namespace: "demo", ...metadata },
  ...more,
});
const networking = "networking.istio.io/v1";
const security = "security.istio.io/v1";
const namespace = (labels: object, name = "demo"): object =>
  object("v1", "Namespace", { name, namespace: undefined, labels }, {});
const pod = (metadata: object): object =>
  object("v1", "Pod", { labels: { app: "it" }, ...metadata }, { spec: { containers: [{ name: "app" }] } });
const sidecar = (spec: object): object =>
  object(networking, "Sidecar", {}, { spec: { egress: [{ hosts: ["*/*"] }], ...spec } });
const selecting = { workloadSelector: { labels: { app: "it" } } };
const ambient = { "istio.io/dataplane-mode": "ambient" };
const redirected = { annotations: { "ambient.istio.io/redirection": "enabled" } };
const status = (type: string, value: string, reason = "NotHere"): object => ({
  conditions: [
    { type: "Reconciled", status: "False", reason: "Other" },
    { type, status: value, reason, message: "of a waypoint" },
  ],
});
const service = (said: object = {}): object =>
  object("v1", "Service", {}, { spec: { ports: [{ name: "http", port: 80 }] }, ...said });
const policy = (said: object): object => object(security, "AuthorizationPolicy", {}, { spec: {}, ...said });
const route = (value: string): object =>
  object(
    "gateway.networking.k8s.io/v1",
    "HTTPRoute",
    {},
    {
      spec: { parentRefs: [{ name: "edge" }] },
      status: { parents: [{ parentRef: { name: "edge" }, ...status("ResolvedRefs", value) }] },
    },
  );
const jwt = object(
  security,
  "RequestAuthentication",
  { name: "jwt" },
  { spec: { jwtRules: [{ issuer: "a", jwksUri: "https://a.example.com/" }] } },
);
const istiod = (env: readonly object[], labels: object = { app: "istiod" }): object =>
  object(
    "apps/v1",
    "Deployment",
    { labels },
    { spec: { template: { spec: { containers: [{ name: "discovery", env }] } } } },
  );
const blocked = [{ name: "BLOCKED_CIDRS_IN_JWKS_URIS", value: "169.254.0.0/16" }];
const networks = (registry: string): object =>
  object(...(["v1", "ConfigMap", { name: "istio", namespace: "istio-system" }] as const), {
    data: { meshNetworks: `networks: { net1: { endpoints: [{ fromRegistry: ${registry} }] } }` },
  });
const remote = object(
  "v1",
  "Secret",
  { namespace: "istio-system", labels: { "istio/multiCluster": "true" } },
  { stringData: { west: "a kubeconfig" } },
);
const definition = (kind: string, bundle: string, versions: readonly object[] = []): object =>
  object(
    "apiextensions.k8s.io/v1",
    "CustomResourceDefinition",
    { namespace: undefined, annotations: { "gateway.networking.k8s.io/bundle-version": bundle } },
    { spec: { group: "gateway.networking.k8s.io", names: { kind }, versions } },
  );
const injector = (enableNamespacesByDefault: boolean): object =>
  object(...(["v1", "ConfigMap", { name: "istio-sidecar-injector", namespace: "istio-system" }] as const), {
    data: { values: JSON.stringify({ sidecarInjectorWebhook: { enableNamespacesByDefault } }) },
  });
const webhook = (clientConfig: object): object =>
  object(
    "admissionregistration.k8s.io/v1",
    "ValidatingWebhookConfiguration",
    { name: "istio-validator", namespace: undefined },
    { webhooks: [{ name: "a", clientConfig }] },
  );
const rule = (name: string, gateways: readonly string[] | undefined, destination: object): object =>
  object(
    networking,
    "VirtualService",
    { name },
    { spec: { hosts: ["api"], gateways, http: [{ route: [{ destination }] }] } },
  );
const choosing = rule("choosing", undefined, { host: "api.demo.svc.cluster.local", subset: "v2" });
const place = (kind: string, path: string, name = "it", of = "demo"): IstioRow["at"] => ({
  object: `${kind} ${of}/${name}`,
  path,
});

/** One or more a code. */
export const clusterRows: readonly IstioRow[] = [
  {
    ...{ code: "IST0126", what: "a network of a cluster that nobody knows" },
    ...{ bad: [networks("east"), remote], good: [networks("west"), remote] },
    at: place("ConfigMap", "data.meshNetworks", "istio", "istio-system"),
  },
  {
    ...{
      code: "IST0140",
      what: "a route of a gateway that leaves the choice of a subset to one of the mesh",
    },
    bad: [choosing, rule("edge", ["edge"], { host: "api" })],
    good: [
      choosing,
      rule("edge", ["edge"], { host: "api", subset: "v1" }),
      rule("other", ["edge"], { host: "other" }),
      rule("both", ["edge", "mesh"], { host: "api" }),
    ],
    at: place("VirtualService", "spec.http[0].route[0].destination", "edge"),
  },
  {
    ...{ code: "IST0148", what: "a namespace that is injected as all are" },
    bad: [namespace({}), injector(true)],
    good: [
      injector(true),
      namespace({ "istio-injection": "disabled" }),
      namespace({}, "kube-system"),
      namespace(ambient, "other"),
    ],
    at: place("Namespace", "metadata.labels", "demo", "default"),
  },
  {
    ...{ code: "IST0103", what: "a pod without a sidecar where all are injected" },
    bad: [namespace({}), injector(true), pod({})],
    good: [namespace({}), injector(false), pod({})],
    at: place("Pod", "spec.containers"),
  },
  {
    ...{ code: "IST0163", what: "a webhook that asks nobody" },
    bad: [webhook({})],
    good: [webhook({ service: { name: "istiod", namespace: "istio-system" } })],
    at: place("ValidatingWebhookConfiguration", "webhooks[0].clientConfig", "istio-validator", "default"),
  },
  {
    ...{ code: "IST0163", what: "a webhook at what is no URL" },
    bad: [webhook({ url: "istiod:15017" }), webhook({ url: "https://[::1" })],
    good: [webhook({ url: "https://istiod.example.com:15017/validate" })],
    at: place("ValidatingWebhookConfiguration", "webhooks[0].clientConfig.url", "istio-validator", "default"),
  },
  {
    ...{ code: "IST0165", what: "a rule for a Gateway that istiod makes" },
    bad: [rule("it", ["edge/gateway~istio-autogenerated-k8s-gateway~web"], { host: "api" })],
    // That it is not there is another message.
    good: [rule("it", ["edge/web"], { host: "api" })],
    at: place("VirtualService", "spec.gateways[0]"),
  },
  {
    ...{ code: "IST0167", what: "a Sidecar for a pod of the ambient mode" },
    bad: [pod(redirected), sidecar(selecting)],
    good: [pod({}), pod({ name: "other", labels: { app: "other" }, ...redirected }), sidecar(selecting)],
    at: place("Sidecar", "spec.workloadSelector"),
  },
  {
    ...{ code: "IST0167", what: "a Sidecar for a namespace of the ambient mode" },
    bad: [namespace(ambient), sidecar({})],
    good: [namespace({ ...ambient, "istio-injection": "enabled" }), namespace(ambient, "other"), sidecar({})],
    at: place("Sidecar", "spec"),
  },
  {
    ...{ code: "IST0167", what: "a Sidecar for pods that are to be of the ambient mode" },
    bad: [namespace(ambient), pod({}), sidecar(selecting)],
    good: [
      namespace(ambient),
      pod({ labels: { app: "it", "istio.io/dataplane-mode": "none" } }),
      pod({ name: "other", labels: { app: "it", "sidecar.istio.io/inject": "true" } }),
      sidecar(selecting),
    ],
    at: place("Sidecar", "spec.workloadSelector"),
  },
  {
    ...{ code: "IST0171", what: "a Service that is bound to no waypoint" },
    bad: [service({ status: status("istio.io/WaypointBound", "False") })],
    good: [service({ status: status("istio.io/WaypointBound", "True") }), service()],
    at: place("Service", "status.conditions[1]"),
  },
  {
    ...{ code: "IST0171", what: "a policy that holds in part" },
    bad: [policy({ status: status("WaypointAccepted", "True", "PartiallyInvalid") })],
    good: [policy({ status: status("WaypointAccepted", "True", "Accepted") })],
    at: place("AuthorizationPolicy", "status.conditions[1]"),
  },
  {
    ...{ code: "IST0171", what: "a route that a parent does not take" },
    ...{ bad: [route("False")], good: [route("True")] },
    at: place("HTTPRoute", "status.parents[0].conditions[1]"),
  },
  {
    ...{ code: "IST0172", what: "a definition of the Gateway API without v1" },
    bad: [definition("HTTPRoute", "v1.0.0", [{ name: "v1beta1" }, { name: "v1", served: false }])],
    good: [
      definition("HTTPRoute", "v1.0.0", [{ name: "v1beta1" }, { name: "v1", served: true }]),
      definition("UDPRoute", "v1.3.0", [{ name: "v1alpha2", served: true }]),
    ],
    at: place("CustomResourceDefinition", "spec.versions", "it", "default"),
  },
  {
    ...{ code: "IST0175", what: "an istiod that asks any address for keys" },
    bad: [jwt, istiod([])],
    good: [jwt, istiod(blocked), istiod([], { app: "other" })],
    at: place("Deployment", "spec.template.spec.containers"),
  },
  {
    ...{ code: "IST0175", what: "an istiod whose setting is empty" },
    ...{ bad: [jwt, istiod([{ name: "BLOCKED_CIDRS_IN_JWKS_URIS" }])], good: [istiod([])] },
    at: place("Deployment", "spec.template.spec.containers"),
  },
  {
    ...{ code: "IST0176", what: "a kind of the Gateway API that is read of a later release only" },
    bad: [definition("TLSRoute", "v1.4.1")],
    good: [definition("TLSRoute", "v1.5.0-rc.1"), definition("HTTPRoute", "v1.4.1")],
    at: place(
      "CustomResourceDefinition",
      "metadata.annotations.gateway.networking.k8s.io/bundle-version",
      "it",
      "default",
    ),
  },
];
