/**
 * Every environment variable that the agent reads: one table, from which types, documentation and parsing come.
 *
 * Parsing follows Istio's rules: a value that cannot be read is a warning and counts as unset, and a variable
 * that is set but empty is the empty string, not the default.
 */
import { parseDurationMs } from "./duration.ts";

/** One variable. */
export interface Variable<T> {
  readonly default: T;
  readonly describe: string;
  /** Undefined when the text is not of this kind. */
  readonly parse: (text: string) => T | undefined;
  /** What a value looks like, for messages. */
  readonly kind: string;
}

function text(fallback: string, describe: string): Variable<string> {
  return { default: fallback, describe, parse: (value) => value, kind: "text" };
}

function flag(fallback: boolean, describe: string): Variable<boolean> {
  const words: Readonly<Record<string, boolean>> = {
    ...Object.fromEntries(["1", "t", "T", "TRUE", "true", "True"].map((word) => [word, true])),
    ...Object.fromEntries(["0", "f", "F", "FALSE", "false", "False"].map((word) => [word, false])),
  };
  return { default: fallback, describe, parse: (value) => words[value], kind: "true or false" };
}

function integer(fallback: number, describe: string): Variable<number> {
  return {
    default: fallback,
    describe,
    parse: (value) => (/^[+-]?\d+$/.test(value) ? Number(value) : undefined),
    kind: "a whole number",
  };
}

function fraction(fallback: number, describe: string): Variable<number> {
  return {
    default: fallback,
    describe,
    parse: (value) => (value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : undefined),
    kind: "a number",
  };
}

function duration(fallback: string, describe: string): Variable<number> {
  return {
    default: parseDurationMs(fallback) ?? 0,
    describe: `${describe} (default ${fallback})`,
    parse: parseDurationMs,
    kind: "a duration such as 5s",
  };
}

/** The table. Durations are in milliseconds once parsed. */
export const variables = {
  POD_NAME: text("", "Name of the pod; part of the node ID."),
  POD_NAMESPACE: text("", "Namespace of the pod; part of the node ID and of the identity."),
  SERVICE_ACCOUNT: text("", "Service account; part of the identity."),
  INSTANCE_IP: text("", "IP address of the pod; the first of the node's addresses."),
  TRUST_DOMAIN: text("cluster.local", "SPIFFE trust domain of the workload."),
  PROXY_CONFIG: text("", "Istio ProxyConfig as YAML or JSON, laid over the mesh config."),
  ISTIO_BOOTSTRAP: text("", "Bootstrap template that replaces the one of the release."),
  ISTIO_BOOTSTRAP_OVERRIDE: text("", "YAML or JSON file merged into the bootstrap (Envoy's --config-yaml)."),
  ENVOY_PATH: text("", "Envoy's binary, where --binaryPath and ProxyConfig name none."),
  ENVOY_STATUS_PORT: integer(15021, "Port of Envoy's readiness listener."),
  ENVOY_PROMETHEUS_PORT: integer(15090, "Port of Envoy's Prometheus listener."),
  METRICS_LOCALHOST_ACCESS_ONLY: flag(false, "Serve metrics to loopback only."),
  ENVOY_SKIP_DEPRECATED_LOGS: flag(true, "Keep Envoy from logging deprecated fields."),
  ISTIO_ENVOY_ENABLE_CORE_DUMP: flag(false, "Let Envoy dump core."),
  ISTIO_DELTA_XDS: flag(true, "Use the delta protocol between Envoy and the control plane."),
  PROXY_CONFIG_XDS_AGENT: flag(false, "Subscribe to the mesh's trust bundle."),
  ISTIO_CPU_LIMIT: integer(0, "CPUs of the container; Envoy's concurrency where ProxyConfig sets none."),
  MINIMUM_DRAIN_DURATION: duration("5s", "Shortest drain when EXIT_ON_ZERO_ACTIVE_CONNECTIONS is on."),
  MAXIMUM_DRAIN_DURATION: duration(
    "0s",
    "Longest drain when EXIT_ON_ZERO_ACTIVE_CONNECTIONS is on, connections left or not; 0s waits for them.",
  ),
  EXIT_ON_ZERO_ACTIVE_CONNECTIONS: flag(false, "End the drain when no inbound connection is left."),
  CA_ADDR: text("", "host:port of the certificate authority; the discovery address unless set."),
  CA_ROOT_CA: text("", "PEM file that authenticates the CA; SYSTEM takes the operating system's roots."),
  XDS_ROOT_CA: text("", "PEM file that authenticates the discovery server; SYSTEM takes the system's roots."),
  ISTIOD_SAN: text("", "Name expected in the control plane's certificate."),
  PILOT_CERT_PROVIDER: text("istiod", "Who signs the control plane's certificate: istiod, custom or none."),
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
  SECRET_TTL: duration("24h", "Lifetime asked of the CA for the workload certificate."),
  SECRET_GRACE_PERIOD_RATIO: fraction(
    0.5,
    "Share of the lifetime that is left when a certificate is rotated.",
  ),
  SECRET_GRACE_PERIOD_RATIO_JITTER: fraction(0.01, "Largest random change to that share."),
  WORKLOAD_RSA_KEY_SIZE: integer(2048, "Bits of an RSA workload key; at least 2048."),
  ECC_SIGNATURE_ALGORITHM: text("", "ECDSA for an elliptic workload key; RSA when empty."),
  PILOT_ENABLE_CA_CRL: flag(
    true,
    "Give Envoy the CA's list of revoked certificates with its root, if there is one.",
  ),
  PKCS8_KEY: flag(false, "Write the workload key as PKCS #8."),
  ECC_CURVE: text("P256", "Curve of an ECDSA key: P256 or P384."),
} as const;

/** Parsed values by name. */
export type Environment = {
  readonly [Name in keyof typeof variables]: (typeof variables)[Name]["default"] extends boolean
    ? boolean
    : (typeof variables)[Name]["default"] extends number
      ? number
      : string;
};

/** Read the table from `env`; each value that cannot be read adds a line to `warnings`. */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  warnings: string[],
): Environment {
  const entries = Object.entries<Variable<unknown>>(variables).map(([name, variable]) => {
    const value = env[name];
    if (value === undefined) return [name, variable.default];
    const parsed = variable.parse(value);
    if (parsed !== undefined) return [name, parsed];
    warnings.push(
      `${name}: ${JSON.stringify(value)} is not ${variable.kind}; using ${String(variable.default)}`,
    );
    return [name, variable.default];
  });
  return Object.fromEntries(entries) as Environment;
}
