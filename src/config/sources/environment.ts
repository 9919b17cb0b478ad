/**
 * Every environment variable of pilot-agent and of OpenTelemetry that the agent reads: one table, from which types,
 * documentation and parsing come.
 *
 * Parsing follows Istio's rules: a value that cannot be read is a warning and counts as unset, and a variable
 * that is set but empty is the empty string, not the default. One that can be read and is out of range is a problem,
 * unless it is one of OpenTelemetry's: those are set for a whole pod, and no reason not to start.
 */
import { rsaBits } from "../../pki/rsa-bits.ts";
import { type ConfigProblem, shown } from "../../schema/config-problem.ts";
import {
  anyDuration,
  longestDurationMs,
  type NumberRange,
  portsOrNone,
  someDuration,
  workers,
} from "../../schema/range.ts";
import {
  duration,
  flag,
  fraction,
  integer,
  optionalFlag,
  optionalText,
  readSettings,
  type SettingValues,
  text,
} from "../../schema/setting.ts";
import { otlpVariables } from "./otlp-variables.ts";
import { noticesOf } from "./unread-variables.ts";

/** A share of something. */
const shares: NumberRange = { least: 0, most: 1, noun: "share" };

/** Largest module that Wasm can address (32 bits), in bytes. */
const largestModule = 4_294_967_296;

/** The table. Durations are in milliseconds once parsed. */
export const variables = {
  POD_NAME: text("", "Name of the pod; part of the node ID."),
  POD_NAMESPACE: text("", "Namespace of the pod; part of the node ID and of the identity."),
  SERVICE_ACCOUNT: text("", "Service account; part of the identity."),
  INSTANCE_IP: text("", "IP address of the pod; the first of the node's addresses."),
  HOST_IP: text(
    "",
    "IP address of the node; stands for $(HOST_IP) in addresses and in the bootstrap override.",
  ),
  CLOUD_PLATFORM: text(
    "",
    "aws, gcp, azure or none; empty asks the machine's DMI which cloud it belongs to.",
  ),
  AWS_EC2_METADATA_SERVICE_ENDPOINT: text(
    "",
    "URL of Amazon's metadata service, where it is not the usual one.",
  ),
  AZURE_METADATA_HOST: text("", "host:port of Azure's metadata service, where it is not the usual one."),
  GCE_METADATA_HOST: text("", "host:port of Google's metadata server, where it is not the usual one."),
  GCP_METADATA: text("", "PROJECT|NUMBER|CLUSTER|LOCATION, as Google's metadata server would say it."),
  GCP_QUOTA_PROJECT: text("", "Google project that is charged for API calls; node metadata."),
  GCP_ZONE: text("", "Google zone, where the metadata server is not asked."),
  TRUST_DOMAIN: text(
    "cluster.local",
    "SPIFFE trust domain that is asked for; where the CA signs for another one, that is taken and said.",
  ),
  PROXY_CONFIG: text("", "Istio ProxyConfig as YAML or JSON, laid over the mesh config."),
  ISTIO_BOOTSTRAP: text("", "Bootstrap template that replaces the one of the release."),
  ISTIO_BOOTSTRAP_OVERRIDE: text("", "YAML or JSON file merged into the bootstrap (Envoy's --config-yaml)."),
  DISABLE_ENVOY: flag(false, "Run without Envoy, for proxyless gRPC applications."),
  GRPC_XDS_BOOTSTRAP: text(
    "etc/istio/proxy/grpc-bootstrap.json",
    "Where the bootstrap of proxyless gRPC goes; written with DISABLE_ENVOY, empty for none.",
  ),
  ENVOY_PATH: text("", "Envoy's binary, where --binaryPath and ProxyConfig name none."),
  ENVOY_STATUS_PORT: integer(15021, portsOrNone, "Port of Envoy's readiness listener."),
  ENVOY_PROMETHEUS_PORT: integer(15090, portsOrNone, "Port of Envoy's Prometheus listener."),
  ENVOY_SECURE_METRICS_PORT: integer(0, portsOrNone, "Port of Envoy's metrics over mutual TLS; 0 for none."),
  ENVOY_SECURE_MERGED_METRICS_PORT: integer(
    0,
    portsOrNone,
    "Port of the merged metrics over mutual TLS; 0 for none.",
  ),
  ENVOY_STATUS_PORT_ENABLE_PROXY_PROTOCOL: flag(false, "Accept the PROXY protocol on ENVOY_STATUS_PORT."),
  METRICS_LOCALHOST_ACCESS_ONLY: flag(false, "Serve metrics to loopback only."),
  ISTIO_KUBE_APP_PROBERS: text(
    "",
    "Probes and hooks of the application that the kubelet makes through the agent: JSON, as Istio's injector writes it.",
  ),
  ISTIO_ENABLE_HTTP2_PROBING: flag(true, "Probe an application that speaks HTTP/2 over TLS by that."),
  REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION: flag(
    false,
    "Probe the application on loopback, not at the pod's address.",
  ),
  ENABLE_PROBE_KEEPALIVE_CONNECTIONS: flag(
    false,
    "Keep connections without TLS to the application from one probe to the next.",
  ),
  PILOT_AGENT_MERGE_ENVOY_STATS: flag(true, "Envoy's metrics are part of the merged ones."),
  ISTIO_PROMETHEUS_ANNOTATIONS: optionalText(
    "Where the application has its metrics, as JSON of Istio's injector: scrape, port, path, targets.",
  ),
  ENVOY_SKIP_DEPRECATED_LOGS: flag(true, "Keep Envoy from logging deprecated fields."),
  ISTIO_ENVOY_ENABLE_CORE_DUMP: flag(false, "Let Envoy dump core."),
  ISTIO_DELTA_XDS: flag(true, "Use the delta protocol between Envoy and the control plane."),
  PROXY_CONFIG_XDS_AGENT: flag(false, "Subscribe to the mesh's trust bundle."),
  ISTIO_DUAL_STACK: flag(false, "Listen on both families where the pod has addresses of both."),
  PEER_METADATA_DISCOVERY: optionalFlag(
    "Discover peers through the control plane (needs Istio's Envoy); as ISTIO_META_ENABLE_HBONE when unset.",
  ),
  HTTP_STRIP_FRAGMENT_FROM_PATH_UNSAFE_IF_DISABLED: flag(true, "Strip a #fragment from request paths."),
  COMPLIANCE_POLICY: text(
    "",
    "fips-140-2, fips-140-3 or pqc: what TLS to the control plane, to servers of Wasm modules and of Envoy's gRPC clients may use.",
  ),
  DNS_PROXY_ADDR: text(
    "",
    "host:port of the DNS proxy, localhost:15053 unless set; :53 is every address, and needs root. Node metadata too.",
  ),
  DNS_FORWARD_PARALLEL: flag(false, "Ask every upstream DNS server at once."),
  DNS_FORWARD_TIMEOUT: duration(
    5_000,
    someDuration,
    "Longest time that a query waits for upstream DNS servers, all tries together.",
  ),
  WORKLOAD_IDENTITY_SOCKET_FILE: text(
    "socket",
    "Name of the SDS socket in ./var/run/secrets/workload-spiffe-uds; another one than socket is another server's.",
  ),
  ISTIO_CPU_LIMIT: integer(
    0,
    workers,
    "CPUs of the container; Envoy's concurrency where ProxyConfig sets none (0: the cgroup says it, rounded up).",
  ),
  MINIMUM_DRAIN_DURATION: duration(
    5_000,
    anyDuration,
    "Shortest drain when EXIT_ON_ZERO_ACTIVE_CONNECTIONS is on.",
  ),
  MAXIMUM_DRAIN_DURATION: duration(
    0,
    anyDuration,
    "Longest drain when EXIT_ON_ZERO_ACTIVE_CONNECTIONS is on, connections left or not; 0s waits for them.",
  ),
  TERMINATION_DRAIN_DURATION_SECONDS: integer(
    -1,
    { least: -1, most: Math.floor(longestDurationMs / 1_000) },
    "Istio 1.5: length of the drain in seconds, where no ProxyConfig sets terminationDrainDuration.",
  ),
  EXIT_ON_ZERO_ACTIVE_CONNECTIONS: flag(false, "End the drain when no inbound connection is left."),
  CA_ADDR: text("", "host:port of the certificate authority; the discovery address unless set."),
  CA_ROOT_CA: text("", "PEM file that authenticates the CA; SYSTEM takes the operating system's roots."),
  XDS_ROOT_CA: text("", "PEM file that authenticates the discovery server; SYSTEM takes the system's roots."),
  ISTIOD_SAN: text("", "Name expected in the control plane's certificate."),
  PILOT_CERT_PROVIDER: text(
    "istiod",
    "Whose root authenticates the control plane: istiod, k8s.io/NAME, custom (./etc/certs/root-cert.pem) or none.",
  ),
  CREDENTIAL_FETCHER_TYPE: text(
    "JWT",
    "Where the token comes from: JWT (it is mounted), or GoogleComputeEngine (from Google's metadata server).",
  ),
  CA_PROVIDER: text("Citadel", "Who signs: Citadel (Istio's CA) or GkeWorkloadCertificate (mounted files)."),
  PROV_CERT: text("", "Folder with key.pem, cert-chain.pem and root-cert.pem for mTLS to the control plane."),
  FILE_MOUNTED_CERTS: flag(false, "Take the workload certificate from mounted files, never from a CA."),
  SPIFFE_ENDPOINT_SOCKET: text(
    "",
    "SPIFFE Workload API to take the certificate from: unix:///path or tcp://ip:port.",
  ),
  OUTPUT_CERTS: text(
    "",
    "Folder for key.pem, cert-chain.pem and root-cert.pem, at start and at each rotation.",
  ),
  SECRET_TTL: duration(86_400_000, anyDuration, "Lifetime asked of the CA for the workload certificate."),
  SECRET_GRACE_PERIOD_RATIO: fraction(
    0.5,
    shares,
    "Share of the lifetime that is left when a certificate is rotated.",
  ),
  SECRET_GRACE_PERIOD_RATIO_JITTER: fraction(0.01, shares, "Largest random change to that share."),
  WORKLOAD_RSA_KEY_SIZE: integer(2048, rsaBits, "Bits of an RSA workload key, 2048 to 8192."),
  ECC_SIGNATURE_ALGORITHM: text("", "ECDSA for an elliptic workload key; RSA when empty."),
  PILOT_ENABLE_CA_CRL: flag(
    true,
    "Give Envoy the CA's list of revoked certificates with its root, if there is one.",
  ),
  ISTIO_AGENT_ENABLE_WASM_REMOTE_LOAD_CONVERSION: flag(
    true,
    "Fetch Wasm modules that extension configurations name by URL, and give Envoy the file.",
  ),
  WASM_INSECURE_REGISTRIES: text(
    "",
    "Servers of Wasm modules, as host or host:port, that may lack TLS or a certificate that can be verified, and may be on loopback; * for all, but for loopback.",
  ),
  BLOCKED_CIDRS_IN_WASM_FETCH: text(
    "",
    "Ranges of addresses that no Wasm module is fetched from, beside link-local ones and metadata services.",
  ),
  WASM_MODULE_EXPIRY: duration(86_400_000, someDuration, "How long a Wasm module that nothing uses is kept."),
  WASM_PURGE_INTERVAL: duration(3_600_000, someDuration, "How often unused Wasm modules are looked for."),
  WASM_HTTP_REQUEST_TIMEOUT: duration(15_000, someDuration, "Longest time of one request for a Wasm module."),
  WASM_HTTP_REQUEST_MAX_RETRIES: integer(
    5,
    { least: 1, most: 100 },
    "Tries of one request for a Wasm module.",
  ),
  ISTIO_WASM_MAX_BINARY_SIZE_BYTES: integer(
    268_435_456,
    { least: 1, most: largestModule },
    "Largest Wasm module, and largest download of one.",
  ),
  DOCKER_CONFIG: text(
    "",
    "Folder of the config.json with credentials for Wasm images without a pull secret; ~/.docker unless set.",
  ),
  KUBERNETES_SERVICE_HOST: text(
    "",
    "Set by Kubernetes: containers have CPU requests then, and files of OUTPUT_CERTS can be read by every user.",
  ),
  HOME: text("", "The user's folder, for ~/.docker."),
  ISTIO_META_CLUSTER_ID: text("", "Name of the cluster; node metadata, and told to the CA."),
  ISTIO_META_CERT_SIGNER: text("", "Signer that the CA is to use; node metadata too."),
  ISTIO_META_INTERCEPTION_MODE: text("", "How traffic is captured: REDIRECT, TPROXY or NONE; node metadata."),
  ISTIO_META_TLS_CLIENT_CERT_CHAIN: text("", "PEM file for FILE_MOUNTED_CERTS; node metadata too."),
  ISTIO_META_TLS_CLIENT_KEY: text("", "PEM file for FILE_MOUNTED_CERTS; node metadata too."),
  ISTIO_META_TLS_CLIENT_ROOT_CERT: text("", "PEM file for FILE_MOUNTED_CERTS; node metadata too."),
  PKCS8_KEY: flag(false, "Write the workload key as PKCS #8."),
  ECC_CURVE: text("P256", "Curve of an ECDSA key: P256 or P384."),
  ...otlpVariables,
} as const;

/** Parsed values by name. */
export type Environment = SettingValues<typeof variables>;

/** Read the table from `env`: a line of `warnings` or a problem for what cannot be taken. */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  warnings: string[],
  problems: ConfigProblem[],
): Environment {
  warnings.push(...noticesOf(env));
  return readSettings(
    variables,
    (name) => {
      const value = env[name];
      // OpenTelemetry's specification takes an empty variable for one that is not set.
      const isUnset = value === undefined || (value === "" && name in otlpVariables);
      return isUnset ? undefined : { source: name, texts: [value] };
    },
    ({ kind, defaultText }, name, value, reading) => {
      const isOutOfRange = reading.kind === "out-of-range";
      if (isOutOfRange && !(name in otlpVariables))
        problems.push({ source: name, path: "", message: `${value} is not ${reading.expected}` });
      else {
        const instead = defaultText === "" ? "taken as unset" : `using ${defaultText}`;
        const expected = isOutOfRange ? reading.expected : kind;
        warnings.push(`${name}: ${shown(value)} is not ${expected}; ${instead}`);
      }
    },
  );
}

/** Envoy's binary as the environment names it, for commands that need nothing else of it. */
export function envoyPathOf(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return readEnvironment(env, [], []).ENVOY_PATH || undefined;
}
