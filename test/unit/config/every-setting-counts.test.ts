/** Whatever is documented as read changes what the agent runs with; whatever is said to have no effect has none. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { detectCloud } from "../../../src/config/cloud/detect.ts";
import { gcpFacts } from "../../../src/config/cloud/gcp.ts";
import { type Environment, readEnvironment, variables } from "../../../src/config/sources/environment.ts";
import { parseConfig } from "../../../src/config/parse-config.ts";
import { type PilotFlag, pilotFlags, type PilotFlagValues } from "../../../src/config/sources/pilot-flags.ts";
import { unreadVariables } from "../../../src/config/sources/unread-variables.ts";
import { readPlatform } from "../../../src/config/cloud/read-platform.ts";
import { proxyFlags, readProxyFlags } from "../../../src/config/sources/proxy-flags.ts";
import type { Setting } from "../../../src/schema/setting.ts";
import { configSources, type SourceChanges } from "../../support/config-sources.ts";

/** Everything that the agent runs with, as text; what is only said is left out. */
function outcome(changes: SourceChanges): string {
  const { warnings: _, ...config } = parseConfig(configSources(changes));
  return JSON.stringify(config);
}

/** True when both give the same. The texts are too long to be shown. */
function isSame(one: SourceChanges, other: SourceChanges): boolean {
  return outcome(one) === outcome(other);
}

type Name = keyof Environment;

const withOtlp = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

const withBareOtlp = {
  OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317",
  OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
};

const appProbers = '{"/app-health/web/livez":{"tcpSocket":{"port":8080}}}';

/** A value other than the default, and what has to be set beside it for it to matter. */
const values: Readonly<Partial<Record<Name, readonly [value: string, beside?: Record<string, string>]>>> = {
  POD_NAME: ["api-1"],
  POD_NAMESPACE: ["prod"],
  SERVICE_ACCOUNT: ["api"],
  INSTANCE_IP: ["10.1.1.8"],
  HOST_IP: ["10.9.9.9", { PROXY_CONFIG: '{"tracing": {"zipkin": {"address": "$(HOST_IP):9411"}}}' }],
  TRUST_DOMAIN: ["example.org"],
  PROXY_CONFIG: ["concurrency: 3"],
  ISTIO_BOOTSTRAP: ["./mine.yaml"],
  ISTIO_BOOTSTRAP_OVERRIDE: ["./mine.yaml"],
  DISABLE_ENVOY: ["true"],
  GRPC_XDS_BOOTSTRAP: ["./grpc.json", { DISABLE_ENVOY: "true" }],
  ENVOY_PATH: ["/opt/envoy"],
  ENVOY_STATUS_PORT: ["15121"],
  ENVOY_PROMETHEUS_PORT: ["15190"],
  ENVOY_SECURE_METRICS_PORT: ["15091"],
  ENVOY_SECURE_MERGED_METRICS_PORT: ["15092"],
  ENVOY_STATUS_PORT_ENABLE_PROXY_PROTOCOL: ["true"],
  METRICS_LOCALHOST_ACCESS_ONLY: ["true"],
  PILOT_AGENT_MERGE_ENVOY_STATS: ["false"],
  ISTIO_PROMETHEUS_ANNOTATIONS: ['{"port": "8080"}'],
  ENVOY_SKIP_DEPRECATED_LOGS: ["false"],
  ISTIO_ENVOY_ENABLE_CORE_DUMP: ["true"],
  ISTIO_DELTA_XDS: ["false"],
  PROXY_CONFIG_XDS_AGENT: ["true"],
  ISTIO_DUAL_STACK: ["true"],
  PEER_METADATA_DISCOVERY: ["true"],
  HTTP_STRIP_FRAGMENT_FROM_PATH_UNSAFE_IF_DISABLED: ["false"],
  COMPLIANCE_POLICY: ["fips-140-2"],
  DNS_PROXY_ADDR: ["localhost:15053"],
  DNS_FORWARD_PARALLEL: ["true", { ISTIO_META_DNS_CAPTURE: "true" }],
  DNS_FORWARD_TIMEOUT: ["7s", { ISTIO_META_DNS_CAPTURE: "true" }],
  WORKLOAD_IDENTITY_SOCKET_FILE: ["spire.sock"],
  ISTIO_CPU_LIMIT: ["3"],
  MINIMUM_DRAIN_DURATION: ["7s"],
  MAXIMUM_DRAIN_DURATION: ["7s"],
  TERMINATION_DRAIN_DURATION_SECONDS: ["7"],
  EXIT_ON_ZERO_ACTIVE_CONNECTIONS: ["true"],
  CA_ADDR: ["ca:15012"],
  CA_ROOT_CA: ["SYSTEM"],
  XDS_ROOT_CA: ["SYSTEM"],
  ISTIOD_SAN: ["istiod.example"],
  PILOT_CERT_PROVIDER: ["custom"],
  CA_PROVIDER: ["GkeWorkloadCertificate"],
  CREDENTIAL_FETCHER_TYPE: ["GoogleComputeEngine"],
  PROV_CERT: ["/prov"],
  FILE_MOUNTED_CERTS: ["true"],
  SPIFFE_ENDPOINT_SOCKET: ["unix:///run/spire.sock"],
  OUTPUT_CERTS: ["/out"],
  SECRET_TTL: ["1h"],
  SECRET_GRACE_PERIOD_RATIO: ["0.4"],
  SECRET_GRACE_PERIOD_RATIO_JITTER: ["0.1"],
  WORKLOAD_RSA_KEY_SIZE: ["4096"],
  ECC_SIGNATURE_ALGORITHM: ["ECDSA"],
  PILOT_ENABLE_CA_CRL: ["false"],
  KUBERNETES_SERVICE_HOST: ["10.0.0.1", { OUTPUT_CERTS: "/out" }],
  HOME: ["/home/app"],
  ISTIO_META_CLUSTER_ID: ["east"],
  ISTIO_META_CERT_SIGNER: ["signers.example/mesh"],
  ISTIO_META_INTERCEPTION_MODE: ["NONE"],
  ISTIO_META_TLS_CLIENT_CERT_CHAIN: ["/chain.pem", { FILE_MOUNTED_CERTS: "true" }],
  ISTIO_META_TLS_CLIENT_KEY: ["/key.pem", { FILE_MOUNTED_CERTS: "true" }],
  ISTIO_META_TLS_CLIENT_ROOT_CERT: ["/root.pem", { FILE_MOUNTED_CERTS: "true" }],
  PKCS8_KEY: ["true"],
  ISTIO_KUBE_APP_PROBERS: [appProbers],
  ISTIO_ENABLE_HTTP2_PROBING: ["false", { ISTIO_KUBE_APP_PROBERS: appProbers }],
  REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION: ["true", { ISTIO_KUBE_APP_PROBERS: appProbers }],
  ENABLE_PROBE_KEEPALIVE_CONNECTIONS: ["true", { ISTIO_KUBE_APP_PROBERS: appProbers }],
  ISTIO_AGENT_ENABLE_WASM_REMOTE_LOAD_CONVERSION: ["false"],
  WASM_INSECURE_REGISTRIES: ["registry.local"],
  BLOCKED_CIDRS_IN_WASM_FETCH: ["10.0.0.0/8"],
  WASM_MODULE_EXPIRY: ["2h"],
  WASM_PURGE_INTERVAL: ["2h"],
  WASM_HTTP_REQUEST_TIMEOUT: ["7s"],
  WASM_HTTP_REQUEST_MAX_RETRIES: ["7"],
  ISTIO_WASM_MAX_BINARY_SIZE_BYTES: ["7000"],
  DOCKER_CONFIG: ["/docker"],
  ECC_CURVE: ["P384", { ECC_SIGNATURE_ALGORITHM: "ECDSA" }],
  OTEL_EXPORTER_OTLP_ENDPOINT: ["http://collector:4318"],
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ["http://collector:4318/traces"],
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: ["http://collector:4318/metrics"],
  OTEL_EXPORTER_OTLP_HEADERS: ["x-team=mesh", withOtlp],
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: ["x-team=mesh", withOtlp],
  OTEL_EXPORTER_OTLP_METRICS_HEADERS: ["x-team=mesh", withOtlp],
  OTEL_EXPORTER_OTLP_PROTOCOL: ["http/json", withOtlp],
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: ["http/json", withOtlp],
  OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: ["http/json", withOtlp],
  OTEL_EXPORTER_OTLP_TIMEOUT: ["7000", withOtlp],
  OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: ["7000", withOtlp],
  OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: ["7000", withOtlp],
  OTEL_EXPORTER_OTLP_COMPRESSION: ["gzip", withOtlp],
  OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: ["gzip", withOtlp],
  OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: ["gzip", withOtlp],
  OTEL_EXPORTER_OTLP_INSECURE: ["true", withBareOtlp],
  OTEL_EXPORTER_OTLP_TRACES_INSECURE: ["true", withBareOtlp],
  OTEL_EXPORTER_OTLP_METRICS_INSECURE: ["true", withBareOtlp],
  OTEL_EXPORTER_OTLP_CERTIFICATE: ["/ca.pem", withOtlp],
  OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: ["/ca.pem", withOtlp],
  OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE: ["/ca.pem", withOtlp],
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: ["/cert.pem", withOtlp],
  OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE: ["/cert.pem", withOtlp],
  OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE: ["/cert.pem", withOtlp],
  OTEL_EXPORTER_OTLP_CLIENT_KEY: ["/key.pem", withOtlp],
  OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: ["/key.pem", withOtlp],
  OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY: ["/key.pem", withOtlp],
  OTEL_TRACES_EXPORTER: ["none", withOtlp],
  OTEL_METRICS_EXPORTER: ["none", withOtlp],
  OTEL_METRIC_EXPORT_INTERVAL: ["7000", withOtlp],
  OTEL_SERVICE_NAME: ["web", withOtlp],
  OTEL_RESOURCE_ATTRIBUTES: ["team=mesh", withOtlp],
  OTEL_SDK_DISABLED: ["true", withOtlp],
};

/** Read where the cloud is asked, before there is a configuration. */
const ofClouds: readonly string[] = [
  ...["CLOUD_PLATFORM", "AWS_EC2_METADATA_SERVICE_ENDPOINT", "AZURE_METADATA_HOST", "GCE_METADATA_HOST"],
  ...["GCP_METADATA", "GCP_QUOTA_PROJECT", "GCP_ZONE"],
];

const files = { "./mine.yaml": "node: {id: mine, cluster: mine}\n" };
const addresses = ["10.1.1.7", "fd00::7"];

describe("a variable that is documented as read counts:", () => {
  for (const name of Object.keys(variables)) {
    if (ofClouds.includes(name)) continue;
    test(name, () => {
      const [value, beside = {}] = values[name as Name] ?? assert.fail("it has no value here");
      const env = { ...beside, [name]: value };
      assert.ok(!isSame({ env, files, addresses }, { env: beside, files, addresses }));
    });
  }

  test("those of the clouds", async () => {
    assert.equal(detectCloud(readEnvironment({ CLOUD_PLATFORM: "azure" }, [], []), ""), "azure");
    assert.equal(detectCloud(readEnvironment({ GCE_METADATA_HOST: "metadata:80" }, [], []), ""), "gcp");
    const env = {
      GCP_METADATA: "project|7|cluster|europe-west4",
      GCP_QUOTA_PROJECT: "quota",
      GCP_ZONE: "europe-west4-b",
      GCE_METADATA_HOST: "127.0.0.1:1",
    };
    const facts = await gcpFacts({
      env: readEnvironment(env, [], []),
      deadlineMs: 1,
      signal: AbortSignal.abort(),
    });
    assert.equal(facts?.metadata["gcp_quota_project"], "quota");
    assert.deepEqual(facts.locality, { region: "europe-west4", zone: "europe-west4-b" });
  });
});

describe("a variable that is documented as unread does not count, but for what the control plane is told:", () => {
  for (const name of Object.keys(unreadVariables)) {
    if (name.startsWith("ISTIO_META_")) continue;
    test(name, () => {
      assert.ok(isSame({ env: { [name]: "1h" } }, {}));
    });
  }
});

const withDns: SourceChanges = { env: { ISTIO_META_DNS_CAPTURE: "true" } };

describe("a flag of proxy counts:", () => {
  const flagValues: Readonly<Partial<Record<string, readonly [text: string, beside?: SourceChanges]>>> = {
    domain: ["demo.svc.example.org"],
    meshConfig: ["./mine.yaml"],
    binaryPath: ["/opt/envoy"],
    serviceCluster: ["mine", { env: { PROXY_CONFIG: '{"serviceCluster": ""}' } }],
    proxyLogLevel: ["debug"],
    proxyComponentLogLevel: ["http:debug"],
    outlierLogPath: ["./outliers.log"],
    stsPort: ["15463"],
    concurrency: ["3"],
    templateFile: ["./mine.yaml"],
    parentShutdownDuration: ["2m"],
    profiling: ["false"],
    swapMode: ["cold"],
    socketMode: ["0660"],
    identityCache: ["off"],
    identityCacheOnDisk: ["true", { flags: { identityCache: "/run/cache" } }],
    onRotate: ["/bin/reload"],
    appSocket: ["off"],
    xdsCache: ["false"],
    wasmFolder: ["/wasm"],
    dnsGate: ["7s", withDns],
    dnsTtl: ["7", withDns],
    dnsShuffle: ["false", withDns],
    dnsCache: ["7", withDns],
    dnsServeStale: ["7s", withDns],
    dnsClientLimit: ["7", withDns],
    metricsTargets: ["8080"],
    metricsDrop: ["envoy_.*"],
    metricsKeep: ["envoy_.*"],
    runtimeFolder: ["/run/agents"],
    log_output_level: ["xds:debug"],
    log_as_json: ["true"],
    log_target: ["stderr"],
    log_caller: ["xds"],
    log_stacktrace_level: ["xds:error"],
  };
  /** Read by the command before there is a configuration, and after there was none. */
  const ofTheCommand: readonly string[] = ["platformMetadataDeadline", "terminationLog"];
  for (const [name, { type, range }] of Object.entries<Setting<unknown>>(proxyFlags)) {
    if (ofTheCommand.includes(name)) continue;
    test(`--${name}`, () => {
      const measure = range === undefined ? undefined : type === "number" ? "7" : "7s";
      const [value, beside = {}] = flagValues[name] ?? [measure ?? assert.fail("it has no value here")];
      const withFlag = { ...beside, files, flags: { ...beside.flags, [name]: value } };
      assert.ok(!isSame(withFlag, { ...beside, files }));
    });
  }

  test("those of the command", async () => {
    const sources = configSources({
      env: {
        CLOUD_PLATFORM: "gcp",
        GCP_METADATA: "p|7|c|l",
        GCP_ZONE: "z",
        GCE_METADATA_HOST: "127.0.0.1:1",
      },
    });
    const { platformMetadataDeadline, terminationLog } = readProxyFlags(
      { ...sources, flags: { platformMetadataDeadline: ["0s"], terminationLog: ["/word"] } },
      [],
    );
    assert.equal(terminationLog, "/word");
    assert.equal(await readPlatform(sources, platformMetadataDeadline), undefined);
  });
});

describe("a flag of pilot-agent", () => {
  const flagValues: Readonly<Partial<Record<keyof PilotFlagValues, string>>> = {
    configPath: "/run/proxy",
    discoveryAddress: "pilot:15011",
    drainDuration: "1m30s",
    statusPort: "15030",
    proxyAdminPort: "15031",
    controlPlaneAuthPolicy: "NONE",
    customConfigFile: "./mine.yaml",
    statsdUdpAddress: "10.1.1.9:9125",
    envoyMetricsService: '{"address": "metrics:9901"}',
    envoyAccessLogService: '{"address": "logs:9901"}',
    zipkinAddress: "zipkin:9411",
    lightstepAddress: "lightstep:443",
    lightstepAccessToken: "token",
    datadogAgentAddress: "datadog:8126",
    "trust-domain": "example.org",
    ip: "10.1.1.8",
    id: "router-7",
    dnsRefreshRate: "5m0s",
  };
  const beside: Readonly<Partial<Record<keyof PilotFlagValues, PilotFlagValues>>> = {
    lightstepAccessToken: { lightstepAddress: "lightstep:443" },
    dnsRefreshRate: { zipkinAddress: "zipkin:9411" },
  };
  for (const [name, { field, counts }] of Object.entries<PilotFlag>(pilotFlags)) {
    const hasEffect = field !== undefined || counts === true;
    test(`--${name} ${hasEffect ? "counts" : "has no effect"}`, () => {
      const given = beside[name as keyof PilotFlagValues] ?? {};
      const value = flagValues[name as keyof PilotFlagValues] ?? (hasEffect ? assert.fail("no value") : "x");
      const withFlag = (text: string): SourceChanges => ({
        env: { INSTANCE_IP: "" },
        files,
        flags: { ...given, [name]: text },
      });
      const without = { ...withFlag(""), flags: given };
      assert.ok(isSame(withFlag(""), without), "templates of Istio 1.5 give flags without a value");
      assert.equal(isSame(withFlag(value), without), !hasEffect);
    });
  }

  test("durations reach Envoy in its own form", () => {
    const flags = { zipkinAddress: "zipkin:9411", dnsRefreshRate: "5m0s" };
    assert.match(outcome({ flags }), /"dns_refresh_rate":"300s"/);
  });
});
