/** Each way in which configuration shapes the bootstrap, by name: every row has a golden file that Envoy accepts. */
import type { SourceChanges } from "./config-sources.ts";

const annotations = "./etc/istio/pod/annotations";
const labels = "./etc/istio/pod/labels";
const mesh = "./etc/istio/config/mesh";

function proxyConfig(config: unknown, env: Readonly<Record<string, string>> = {}): SourceChanges {
  return { env: { PROXY_CONFIG: JSON.stringify(config), ...env } };
}

function annotated(pairs: Readonly<Record<string, string>>, changes: SourceChanges = {}): SourceChanges {
  const lines = Object.entries(pairs).map(([key, value]) => `${key}=${JSON.stringify(value)}\n`);
  return { ...changes, files: { ...changes.files, [annotations]: lines.join("") } };
}

function tracing(tracer: unknown): SourceChanges {
  return proxyConfig({ tracing: tracer });
}

const mutual = {
  mode: "MUTUAL",
  clientCertificate: "/c.pem",
  privateKey: "/k.pem",
  caCertificates: "/r.pem",
};

export const behaviours: Readonly<Record<string, SourceChanges>> = {
  // The process
  "sidecar-defaults": {},
  "json-logs-sotw": { flags: { log_as_json: "true" }, env: { ISTIO_DELTA_XDS: "false" } },
  "router-defaults": { proxyType: "router" },
  "domain-of-another-cluster": { flags: { domain: "demo.svc.example.org" } },
  "proxyless-pod-without-names": { env: { POD_NAME: "", POD_NAMESPACE: "", SERVICE_ACCOUNT: "" } },
  "config-path": proxyConfig({ configPath: "/run/proxy" }),
  "ports-of-the-agent": proxyConfig(
    { statusPort: 16020, proxyAdminPort: 16000 },
    { ENVOY_STATUS_PORT: "16021", ENVOY_PROMETHEUS_PORT: "16090" },
  ),
  "identity-socket-of-another-agent": {
    env: { WORKLOAD_IDENTITY_SOCKET_FILE: "spire.sock" },
    sdsSockets: { isWorkloadExternal: true, hasCredentials: true },
  },

  // Addresses
  "ipv6-only": { env: { INSTANCE_IP: "fd00::7" } },
  "ipv6-and-ipv4-without-dual-stack": { env: { INSTANCE_IP: "fd00::7" }, addresses: ["10.1.1.7"] },
  "dual-stack-ipv4-first": { env: { ISTIO_DUAL_STACK: "true" }, addresses: ["10.1.1.7", "fd00::7"] },
  "dual-stack-ipv6-first": {
    env: { ISTIO_DUAL_STACK: "true", INSTANCE_IP: "fd00::7" },
    addresses: ["10.1.1.7"],
  },
  "dual-stack-of-one-family": { env: { ISTIO_DUAL_STACK: "true" } },
  "dual-stack-with-every-listener": {
    env: {
      ISTIO_DUAL_STACK: "true",
      ENVOY_SECURE_METRICS_PORT: "15091",
      ENVOY_SECURE_MERGED_METRICS_PORT: "15092",
    },
    addresses: ["fd00::7"],
  },
  "interfaces-excluded": annotated(
    { "traffic.sidecar.istio.io/excludeInterfaces": "net1, net2" },
    {
      addresses: [
        { name: "eth0", address: "10.1.1.7" },
        { name: "net1", address: "192.168.9.7" },
        { name: "eth1", address: "10.2.2.7" },
      ],
    },
  ),
  "no-address": { env: { INSTANCE_IP: "" } },

  // Node
  "metadata-of-the-injector": {
    flags: { stsPort: "15463" },
    env: {
      ISTIO_META_POD_PORTS: '[{"containerPort":80,"protocol":"TCP"}]',
      ISTIO_META_APP_CONTAINERS: "web,log",
      ISTIO_META_CLUSTER_ID: "Kubernetes",
      ISTIO_META_NODE_NAME: "node-1",
      ISTIO_META_INTERCEPTION_MODE: "REDIRECT",
      ISTIO_META_WORKLOAD_NAME: "web",
      ISTIO_META_OWNER: "kubernetes://apis/apps/v1/namespaces/demo/deployments/web",
      ISTIO_META_MESH_ID: "cluster.local",
      ISTIO_META_DNS_CAPTURE: "T",
      ISTIO_META_ENABLE_HBONE: "0",
      ISTIO_META_ISTIO_VERSION: "1.29.0",
      DNS_PROXY_ADDR: "localhost:15053",
    },
  },
  "metadata-json-at-the-top-and-in-labels": {
    env: { ISTIO_METAJSON_LABELS: '{"app":"web","istio-locality":"eu.west"}', ISTIO_METAJSON_X: '{"A":[1]}' },
  },
  "labels-file-over-fixed-labels": {
    env: { ISTIO_METAJSON_LABELS: '{"app":"web","version":"v1"}' },
    files: { [labels]: 'version="v2"\npod-template-hash="x"\n' },
  },
  "metadata-of-proxy-config-and-environment": proxyConfig(
    { proxyMetadata: { ISTIO_META_A: "config", ISTIO_META_B: "config", OTHER: "not metadata" } },
    { ISTIO_META_B: "environment" },
  ),
  "locality-from-a-label": { files: { [labels]: 'istio-locality="region.zone.sub"\n' } },
  "locality-label-of-the-topology-wins": {
    files: { [labels]: 'istio-locality="a.b"\ntopology.istio.io/locality="r/z"\n' },
  },
  "locality-of-the-cloud": {
    platform: {
      metadata: { aws_region: "eu-west-1", aws_instance_id: "i-1" },
      labels: { cloud: "aws" },
      locality: { region: "eu-west-1", zone: "eu-west-1a" },
    },
  },
  "cluster-from-proxy-config": proxyConfig({ serviceCluster: "shop" }),
  "cluster-from-the-app-label": { files: { [labels]: 'app="web"\n' } },
  "cluster-from-the-workload-name": { env: { ISTIO_META_WORKLOAD_NAME: "web" } },
  "cluster-from-the-canonical-name": {
    ...proxyConfig({ tracingServiceName: "CANONICAL_NAME_ONLY" }),
    files: { [labels]: 'app="web"\nservice.istio.io/canonical-name="shop"\n' },
  },
  "cluster-from-the-canonical-name-and-namespace": {
    ...proxyConfig({ tracingServiceName: "CANONICAL_NAME_AND_NAMESPACE" }),
    files: { [labels]: 'service.istio.io/canonical-name="shop"\n' },
  },
  "control-plane-without-tls": proxyConfig({
    controlPlaneAuthPolicy: "NONE",
    discoveryAddress: "istiod.istio-system.svc:15010",
  }),
  "control-plane-on-localhost": proxyConfig({ discoveryAddress: "localhost:15012" }),
  "annotations-of-the-pod": annotated({ "prometheus.io/port": "8080" }),
  "annotations-with-escapes-of-go": {
    files: { [annotations]: 'note="\\x1b[1m\\u00e9\\U0001f600\\a\\"x\\""\nraw=`a\\b`\n' },
  },

  // Merge rules
  "merge-mesh-environment-annotation": annotated(
    { "proxy.istio.io/config": "statNameLength: 300\nproxyMetadata: {C: annotation}\n" },
    {
      env: { PROXY_CONFIG: "{concurrency: 2, proxyMetadata: {B: environment, C: environment}}" },
      files: { [mesh]: "defaultConfig: {concurrency: 9, proxyMetadata: {A: mesh, B: mesh}}\n" },
    },
  ),
  "merge-replaces-lists-and-messages": {
    env: { PROXY_CONFIG: "{extraStatTags: [b], tracing: {zipkin: {address: 'two:9411'}}}" },
    files: {
      [mesh]: "defaultConfig: {extraStatTags: [a], tracing: {sampling: 5, zipkin: {address: 'one:9411'}}}\n",
    },
  },
  "merge-headers-key-by-key": {
    env: { PROXY_CONFIG: "{proxyHeaders: {requestId: {disabled: true}}}" },
    files: { [mesh]: "defaultConfig: {proxyHeaders: {server: {disabled: true}}}\n" },
  },
  "merge-annotation-of-the-discovery-address": annotated({
    "sidecar.istio.io/discoveryAddress": "istiod-canary.istio-system.svc:15012",
    "status.sidecar.istio.io/port": "16020",
  }),
  "merge-flags-of-istio-1.5": {
    flags: {
      discoveryAddress: "istio-pilot:15011",
      statusPort: "15030",
      zipkinAddress: "zipkin:9411",
      dnsRefreshRate: "300s",
      id: "router-7",
      drainDuration: "1m30s",
    },
  },
  "merge-flags-of-one-message": {
    flags: {
      lightstepAddress: "lightstep:443",
      lightstepAccessToken: "t0ken",
      zipkinAddress: "",
    },
  },
  "merge-snake-case": proxyConfig({ stat_name_length: 250, extra_stat_tags: ["x"] }),
  "merge-durations-in-one-form": proxyConfig({ drainDuration: "1m30s", terminationDrainDuration: "1h" }),

  // Runtime
  "runtime-values": proxyConfig({
    runtimeValues: {
      "re2.max_program_size.error_level": "",
      "envoy.reloadable_features.http_reject_path_with_fragment": "true",
      "my.flag": "7",
    },
  }),
  "fragments-kept": { env: { HTTP_STRIP_FRAGMENT_FROM_PATH_UNSAFE_IF_DISABLED: "false" } },
  "compliance-fips-140-3": { env: { COMPLIANCE_POLICY: "fips-140-3" } },
  "compliance-pqc": { env: { COMPLIANCE_POLICY: "pqc" } },
  "compliance-fips-140-2": { env: { COMPLIANCE_POLICY: "fips-140-2" } },
  "connections-limited": proxyConfig({ connectionSettings: { globalDownstreamConnectionLimit: 5000 } }),
  "connections-limited-by-metadata": proxyConfig({
    proxyMetadata: { ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS: "4000" },
    runtimeValues: { "overload.global_downstream_max_connections": "3000" },
  }),
  "connections-limited-by-a-runtime-value": proxyConfig({
    runtimeValues: { "overload.global_downstream_max_connections": "3000" },
  }),

  // Statistics
  "stats-extra-tags": annotated(
    { "sidecar.istio.io/extraStatTags": "team, region" },
    proxyConfig({ extraStatTags: ["region", "request.host"] }),
  ),
  "stats-inclusion-of-proxy-config": proxyConfig({
    proxyStatsMatcher: {
      inclusionPrefixes: ["listener"],
      inclusionSuffixes: ["upstream_rq_1xx", "{pod_ip}_x"],
      inclusionRegexps: [".*circuit_breakers.*"],
    },
  }),
  "stats-inclusion-annotations-replace": annotated(
    {
      "sidecar.istio.io/statsInclusionPrefixes": "cluster.outbound, http",
      "sidecar.istio.io/statsInclusionRegexps": "a.*b",
    },
    proxyConfig({ proxyStatsMatcher: { inclusionPrefixes: ["listener"], inclusionSuffixes: ["rq"] } }),
  ),
  "stats-inclusion-by-pod-address": annotated(
    { "sidecar.istio.io/statsInclusionPrefixes": "http.{pod_ip}_" },
    { addresses: ["10.2.2.7"] },
  ),
  "stats-histogram-buckets": annotated({
    "sidecar.istio.io/statsHistogramBuckets": '{"istiocustom":[1,5,10.5],"cluster.xds":[1,5,10]}',
  }),
  "stats-flush-interval-above-a-minute": annotated({ "sidecar.istio.io/statsFlushInterval": "1m" }),
  "stats-eviction": annotated({
    "sidecar.istio.io/statsFlushInterval": "10s",
    "sidecar.istio.io/statsEvictionInterval": "20s",
  }),
  "stats-eviction-that-does-not-fit": annotated({ "sidecar.istio.io/statsEvictionInterval": "7s" }),
  "stats-uncompressed": proxyConfig({ statsCompression: false }),
  "stats-for-loopback-only": proxyConfig({ proxyMetadata: { METRICS_LOCALHOST_ACCESS_ONLY: "true" } }),
  "stats-for-loopback-only-dual-stack": {
    ...proxyConfig({ proxyMetadata: { METRICS_LOCALHOST_ACCESS_ONLY: "true" } }, { ISTIO_DUAL_STACK: "1" }),
    addresses: ["fd00::7"],
  },
  "stats-over-mutual-tls": { env: { ENVOY_SECURE_METRICS_PORT: "15091" } },
  "stats-merged-over-mutual-tls": { env: { ENVOY_SECURE_MERGED_METRICS_PORT: "15092" } },
  "stats-of-connections-at-exit": { env: { EXIT_ON_ZERO_ACTIVE_CONNECTIONS: "true" } },
  "readiness-behind-the-proxy-protocol": { env: { ENVOY_STATUS_PORT_ENABLE_PROXY_PROTOCOL: "true" } },

  // Services of Envoy
  "tracer-zipkin": tracing({ zipkin: { address: "zipkin.istio-system:9411" } }),
  "tracer-zipkin-by-its-old-field": proxyConfig({ zipkinAddress: "zipkin.istio-system:9411" }),
  "tracer-zipkin-on-the-node": {
    env: { ...tracing({ zipkin: { address: "$(HOST_IP):9411" } }).env, HOST_IP: "10.9.9.9" },
  },
  "tracer-zipkin-ipv6": {
    env: { ...tracing({ zipkin: { address: "[fd00::9]:9411" } }).env, INSTANCE_IP: "fd00::7" },
  },
  "tracer-zipkin-simple-tls": tracing({
    zipkin: { address: "zipkin:9411" },
    tlsSettings: {
      mode: "SIMPLE",
      caCertificates: "/r.pem",
      sni: "spans.example",
      subjectAltNames: ["spans"],
    },
  }),
  "tracer-zipkin-tls-by-the-roots-of-the-system": tracing({
    zipkin: { address: "zipkin:9411" },
    tlsSettings: { mode: "SIMPLE" },
  }),
  "tracer-zipkin-tls-without-verification": tracing({
    zipkin: { address: "zipkin:9411" },
    tlsSettings: { mode: "SIMPLE", insecureSkipVerify: true },
  }),
  "tracer-opentelemetry-mutual-tls-with-revocation": tracing({
    openTelemetry: { address: "otel.observability:4317" },
    tlsSettings: { ...mutual, caCrl: "/crl.pem", subjectAltNames: ["otel"], sni: "otel" },
  }),
  "tracer-opentelemetry-mutual-tls-without-verification": tracing({
    openTelemetry: { address: "otel.observability:4317" },
    tlsSettings: {
      mode: "MUTUAL",
      clientCertificate: "/c.pem",
      privateKey: "/k.pem",
      insecureSkipVerify: true,
    },
  }),
  "tracer-lightstep-becomes-opentelemetry": tracing({
    lightstep: { address: "ingest.lightstep.com:443", accessToken: "abcdefg1234567" },
    tlsSettings: { mode: "SIMPLE", caCertificates: "/etc/ssl/certs/ca-certificates.crt" },
  }),
  "tracer-datadog": tracing({ datadog: { address: "$(HOST_IP):8126" } }),
  "tracer-opentelemetry": tracing({ openTelemetry: { address: "otel.observability:4317" } }),
  "tracer-opentelemetry-istio-mutual": tracing({
    openTelemetry: { address: "otel.observability:4317" },
    tlsSettings: { mode: "ISTIO_MUTUAL" },
  }),
  "tracer-that-envoy-lacks": tracing({ stackdriver: { debug: true } }),
  "metrics-service": proxyConfig({ envoyMetricsService: { address: "metrics:9901" } }),
  "metrics-service-by-its-old-field": proxyConfig({ envoyMetricsServiceAddress: "metrics:9901" }),
  "metrics-service-mutual-tls": proxyConfig({
    envoyMetricsService: {
      address: "metrics:9901",
      tlsSettings: mutual,
      tcpKeepalive: { probes: 3, time: "10s", interval: "10s" },
    },
  }),
  "metrics-service-files-of-the-node": proxyConfig(
    { envoyMetricsService: { address: "metrics:9901", tlsSettings: mutual } },
    {
      ISTIO_META_TLS_CLIENT_CERT_CHAIN: "/etc/certs/cert-chain.pem",
      ISTIO_META_TLS_CLIENT_KEY: "/etc/certs/key.pem",
      ISTIO_META_TLS_CLIENT_ROOT_CERT: "/etc/certs/root-cert.pem",
    },
  ),
  "metrics-service-files-of-the-agent-beside-another-sds-server": {
    ...proxyConfig({ envoyMetricsService: { address: "metrics:9901", tlsSettings: mutual } }),
    sdsSockets: { isWorkloadExternal: true },
  },
  "access-log-service-istio-mutual": proxyConfig({
    envoyAccessLogService: { address: "logs:9000", tlsSettings: { mode: "ISTIO_MUTUAL", sni: "logs" } },
  }),
  statsd: proxyConfig({ statsdUdpAddress: "10.1.1.10:9125" }),
  "statsd-by-name": { ...proxyConfig({ statsdUdpAddress: "statsd:9125" }), hosts: { statsd: "10.1.1.10" } },
  "statsd-that-cannot-be-resolved": proxyConfig({ statsdUdpAddress: "nowhere:9125" }),
  "every-service-at-once": proxyConfig({
    tracing: { zipkin: { address: "zipkin:9411" } },
    envoyMetricsService: { address: "metrics:9901" },
    envoyAccessLogService: { address: "logs:9000" },
    statsdUdpAddress: "10.1.1.10:9125",
  }),

  // Cluster manager
  "outlier-log": { flags: { outlierLogPath: "./outliers.log" } },
  "load-reports": {
    env: {
      ISTIO_META_LOAD_STATS_CONFIG_JSON:
        '{"api_type":"GRPC","transport_api_version":"V3","grpc_services":[{"envoy_grpc":{"cluster_name":"xds-grpc"}}]}',
    },
  },
  "self-discovery": { env: { ISTIO_META_ENABLE_SELF_DISCOVERY: "true" } },
  "peer-discovery": { env: { PEER_METADATA_DISCOVERY: "true" } },
  "peer-discovery-with-hbone": { env: { ISTIO_META_ENABLE_HBONE: "true" } },
  "peer-discovery-needs-delta": { env: { PEER_METADATA_DISCOVERY: "true", ISTIO_DELTA_XDS: "false" } },
  "waypoint-defaults": { proxyType: "waypoint", env: { ISTIO_DELTA_XDS: "false" } },

  // Overrides and templates
  "override-keeps-admin-private": {
    env: { ISTIO_BOOTSTRAP_OVERRIDE: "./override.yaml" },
    files: {
      "./override.yaml":
        "admin: {address: {socket_address: {address: 0.0.0.0, port_value: 1}}, profile_path: /tmp/p}\n" +
        "static_resources: {clusters: [{name: mine, type: STATIC}]}\n",
    },
  },
  "override-on-the-node": {
    env: { ISTIO_BOOTSTRAP_OVERRIDE: "./override.json", HOST_IP: "fd00::1" },
    files: { "./override.json": '{"node":{"user_agent_name":"$(HOST_IP) [$(HOST_IP)]"}}' },
  },
  "template-of-a-user": {
    flags: { templateFile: "./mine.yaml" },
    files: { "./mine.yaml": "node: { id: { $eval: nodeId }, cluster: mine }\n" },
  },
  "template-of-istio-is-ignored": {
    env: { ISTIO_BOOTSTRAP: "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json" },
    files: { "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json": '{"node": {"id": "{{ .nodeID }}"}}' },
  },
  "custom-config-file": {
    ...proxyConfig({ customConfigFile: "./own.json" }),
    files: { "./own.json": '{"node":{"id":"own","cluster":"own"},"admin":{}}' },
  },
};
