/**
 * For every field of Istio's ProxyConfig (mesh/v1alpha1/proxy.proto): a value, and what of it reaches Envoy and the
 * node's metadata.
 */
import { rootCertificates } from "node:tls";

/** One field. */
export interface ProxyConfigRow {
  /** As a user writes it. */
  readonly value: unknown;
  /** As the node's metadata has it, when it is not the same; null when it is left out. */
  readonly told?: unknown;
  /** A value that is zero to protobuf and left out of the metadata; undefined where zero is told from unset. */
  readonly zero?: unknown;
  /**
   * What the bootstrap or Envoy's arguments differ in: a path into `{bootstrap, argv}` and its value there. Undefined
   * where Istio's agent gives nothing of it to Envoy.
   */
  readonly reaches?: readonly (readonly [path: string, value: unknown])[];
  /** Fields that have to be beside it. */
  readonly beside?: Readonly<Record<string, unknown>>;
}

const cluster = "bootstrap.static_resources.clusters[0]";
const socketAddress = `${cluster}.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address`;
const port9000 = { address: "svc", port_value: 9000 };

/** Known to the control plane alone. */
function told(value: unknown, zero?: unknown): ProxyConfigRow {
  return zero === undefined ? { value } : { value, zero };
}

export const proxyConfigRows: Readonly<Record<string, ProxyConfigRow>> = {
  configPath: {
    value: "/run/proxy",
    reaches: [
      [
        "bootstrap.static_resources.clusters[3].load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.pipe.path",
        "/run/proxy/XDS",
      ],
    ],
  },
  binaryPath: told("/opt/envoy"),
  serviceCluster: { value: "web", reaches: [["bootstrap.node.cluster", "web"]] },
  tracingServiceName: {
    value: "CANONICAL_NAME_ONLY",
    beside: { proxyMetadata: { ISTIO_META_WORKLOAD_NAME: "web" } },
    reaches: [["bootstrap.node.cluster", "web"]],
  },
  drainDuration: { value: "1m30s", told: "90s", reaches: [["argv[3]", "90"]] },
  discoveryAddress: {
    value: "pilot.mesh.svc:15012",
    reaches: [["bootstrap.node.metadata.PILOT_SAN", ["pilot.mesh.svc"]]],
  },
  discoveryRefreshDelay: { value: "1500ms", told: "1.500s" },
  zipkinAddress: { value: "svc:9000", zero: "", reaches: [[socketAddress, port9000]] },
  statsdUdpAddress: {
    value: "10.1.1.9:9125",
    reaches: [
      [
        "bootstrap.stats_sinks[0].typed_config.address.socket_address",
        { address: "10.1.1.9", port_value: 9125 },
      ],
    ],
  },
  envoyMetricsServiceAddress: { value: "svc:9000", zero: "", reaches: [[socketAddress, port9000]] },
  proxyAdminPort: told(15_100),
  availabilityZone: told("a", ""),
  controlPlaneAuthPolicy: {
    value: "NONE",
    told: null,
    reaches: [["bootstrap.node.metadata.PILOT_SAN", undefined]],
  },
  customConfigFile: { value: "./mine.yaml", zero: "", reaches: [["bootstrap.node.id", "mine"]] },
  statNameLength: told(200, 0),
  concurrency: { value: 3, reaches: [["argv[16]", "3"]] },
  proxyBootstrapTemplatePath: { value: "./mine.yaml", zero: "", reaches: [["bootstrap.node.id", "mine"]] },
  interceptionMode: told("TPROXY", "REDIRECT"),
  tracing: {
    value: {
      datadog: { address: "svc:9000" },
      sampling: 0,
      maxPathTagLength: 0,
      customTags: {
        a: { literal: { value: "b" } },
        c: { header: { name: "d", default_value: "" } },
        e: { environment: { name: "f", defaultValue: "g" } },
      },
      tlsSettings: { mode: "DISABLE" },
      enableIstioTags: false,
    },
    told: {
      datadog: { address: "svc:9000" },
      customTags: {
        a: { literal: { value: "b" } },
        c: { header: { name: "d" } },
        e: { environment: { name: "f", defaultValue: "g" } },
      },
      tlsSettings: {},
      enableIstioTags: false,
    },
    reaches: [[socketAddress, port9000]],
  },
  sds: { value: { enabled: true, k8sSaJwtPath: "" }, told: { enabled: true } },
  envoyAccessLogService: {
    value: {
      address: "svc:9000",
      tlsSettings: { mode: "SIMPLE", sni: "svc", insecureSkipVerify: false, subjectAltNames: [] },
      tcpKeepalive: { probes: 0, time: "1m", interval: "10s" },
    },
    told: {
      address: "svc:9000",
      tlsSettings: { mode: "SIMPLE", sni: "svc", insecureSkipVerify: false },
      tcpKeepalive: { time: "60s", interval: "10s" },
    },
    reaches: [
      [`${cluster}.name`, "envoy_accesslog_service"],
      [`${cluster}.upstream_connection_options.tcp_keepalive.keepalive_time`, 60],
    ],
  },
  envoyMetricsService: {
    value: { address: "svc:9000" },
    reaches: [
      [`${cluster}.name`, "envoy_metrics_service"],
      ["bootstrap.stats_sinks[0].name", "envoy.stat_sinks.metrics_service"],
    ],
  },
  proxyMetadata: {
    value: { ISTIO_META_MESH_ID: "blue", OTHER: "x" },
    zero: {},
    reaches: [["bootstrap.node.metadata.MESH_ID", "blue"]],
  },
  runtimeValues: {
    value: { "a.b": "true" },
    zero: {},
    reaches: [["bootstrap.layered_runtime.layers[0].static_layer[a.b]", true]],
  },
  statusPort: {
    value: 15_120,
    zero: 0,
    reaches: [
      [
        "bootstrap.static_resources.clusters[1].load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value",
        15_120,
      ],
    ],
  },
  extraStatTags: {
    value: ["request_host"],
    zero: [],
    reaches: [
      [
        "bootstrap.stats_config.stats_tags[9]",
        { tag_name: "request_host", regex: String.raw`(request_host=\.=(.*?);\.;)` },
      ],
    ],
  },
  gatewayTopology: {
    value: { num_trusted_proxies: 2, forwardClientCertDetails: "SANITIZE_SET", proxyProtocol: {} },
    told: { numTrustedProxies: 2, forwardClientCertDetails: "SANITIZE_SET", proxyProtocol: {} },
  },
  terminationDrainDuration: told("7s"),
  meshId: told("mesh", ""),
  readinessProbe: {
    value: { periodSeconds: 5, timeoutSeconds: 0, httpGet: { port: 8080, path: "", scheme: "HTTP" } },
    told: { periodSeconds: 5, httpGet: { port: 8080, scheme: "HTTP" } },
  },
  proxyStatsMatcher: {
    value: { inclusionPrefixes: ["x"], inclusionRegexps: [] },
    told: { inclusionPrefixes: ["x"] },
    reaches: [["bootstrap.stats_config.stats_matcher.inclusion_list.patterns[1]", { prefix: "x" }]],
  },
  holdApplicationUntilProxyStarts: told(false),
  caCertificatesPem: told(rootCertificates.slice(0, 1), []),
  image: { value: { imageType: "distroless" } },
  privateKeyProvider: {
    value: { cryptomb: { pollDelay: "10ms", fallback: false } },
    told: { cryptomb: { pollDelay: "0.010s", fallback: false } },
  },
  proxyHeaders: {
    value: {
      forwardedClientCert: 4,
      setCurrentClientCertDetails: { subject: false, cert: true },
      requestId: { disabled: true },
      server: { disabled: false, value: "" },
      attemptCount: {},
      envoyDebugHeaders: { disabled: true },
      metadataExchangeHeaders: { mode: "UNDEFINED" },
      preserveHttp1HeaderCase: true,
      xForwardedHost: { enabled: true },
      xForwardedPort: { enabled: false },
    },
    told: {
      forwardedClientCert: "SANITIZE_SET",
      setCurrentClientCertDetails: { subject: false, cert: true },
      requestId: { disabled: true },
      server: { disabled: false },
      attemptCount: {},
      envoyDebugHeaders: { disabled: true },
      metadataExchangeHeaders: {},
      preserveHttp1HeaderCase: true,
      xForwardedHost: { enabled: true },
      xForwardedPort: { enabled: false },
    },
  },
  fileFlushInterval: { value: "2500ms", told: "2.500s", reaches: [["argv[9]", "2500"]] },
  fileFlushMinSizeKb: { value: 64, zero: 0, reaches: [["argv[13]", "64"]] },
  statsCompression: {
    value: false,
    reaches: [
      [
        "bootstrap.static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters[0].name",
        "envoy.filters.http.router",
      ],
    ],
  },
  connectionSettings: {
    value: {
      profile: "EDGE",
      listener_per_connection_buffer_limit_bytes: 0,
      httpIdleTimeout: "0s",
      httpMergeSlashes: false,
      httpHeadersWithUnderscoresAction: 2,
      globalDownstreamConnectionLimit: 1000,
    },
    told: {
      profile: "EDGE",
      listenerPerConnectionBufferLimitBytes: 0,
      httpIdleTimeout: "0s",
      httpMergeSlashes: false,
      httpHeadersWithUnderscoresAction: "HEADERS_WITH_UNDERSCORES_REJECT_REQUEST",
      globalDownstreamConnectionLimit: 1000,
    },
    reaches: [
      [
        "bootstrap.overload_manager.resource_monitors[0].typed_config.max_active_downstream_connections",
        1000,
      ],
    ],
  },
};
