/**
 * The fields of Istio's ProxyConfig and what each may hold (Istio's mesh config reference).
 */

/** What a field holds. */
export type Field =
  | { readonly kind: "text" }
  /** `isOptional` tells false from unset, as protobuf's wrappers do. */
  | { readonly kind: "flag"; readonly isOptional?: boolean }
  | { readonly kind: "duration"; readonly leastMs: number; readonly isWholeSeconds?: boolean }
  | { readonly kind: "integer"; readonly least: number; readonly most: number; readonly isOptional?: boolean }
  | { readonly kind: "number" }
  /** host:port. */
  | { readonly kind: "address" }
  /** A protobuf enum: a name, or its index. */
  | { readonly kind: "choice"; readonly names: readonly string[] }
  /** Names to text. */
  | { readonly kind: "map" }
  | { readonly kind: "list"; readonly of: Field }
  | { readonly kind: "message"; readonly fields: Readonly<Record<string, Field>> }
  /** Passed on to the control plane as it is. */
  | { readonly kind: "any" };

const text: Field = { kind: "text" };
const address: Field = { kind: "address" };
const any: Field = { kind: "any" };
const flag: Field = { kind: "flag", isOptional: true };
const texts: Field = { kind: "list", of: text };
const port: Field = { kind: "integer", least: 1, most: 65_535 };
const count: Field = { kind: "integer", least: 0, most: 2 ** 31 - 1, isOptional: true };

function message(fields: Readonly<Record<string, Field>>): Field {
  return { kind: "message", fields };
}

/** Seconds and counts of a probe: what is 0 or unset has its default. */
const probeNumber: Field = { kind: "integer", least: 0, most: 2 ** 31 - 1 };

const readinessProbe = message({
  initialDelaySeconds: probeNumber,
  timeoutSeconds: probeNumber,
  periodSeconds: probeNumber,
  successThreshold: probeNumber,
  failureThreshold: probeNumber,
  httpGet: message({
    path: text,
    port,
    host: text,
    scheme: text,
    httpHeaders: { kind: "list", of: message({ name: text, value: text }) },
  }),
  tcpSocket: message({ host: text, port }),
  exec: message({ command: texts }),
  grpc: message({ port, service: text }),
});

const tlsSettings = message({
  mode: { kind: "choice", names: ["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"] },
  clientCertificate: text,
  privateKey: text,
  caCertificates: text,
  caCrl: text,
  credentialName: text,
  subjectAltNames: texts,
  sni: text,
  insecureSkipVerify: flag,
});

const remoteService = message({
  address,
  tlsSettings,
  tcpKeepalive: message({
    probes: count,
    time: { kind: "duration", leastMs: 0 },
    interval: { kind: "duration", leastMs: 0 },
  }),
});

/** Every field by its JSON name; `snake_case` is read as well. */
export const proxyConfigFields = {
  configPath: text,
  binaryPath: text,
  serviceCluster: text,
  tracingServiceName: {
    kind: "choice",
    names: ["APP_LABEL_AND_NAMESPACE", "CANONICAL_NAME_ONLY", "CANONICAL_NAME_AND_NAMESPACE"],
  },
  drainDuration: { kind: "duration", leastMs: 1_000, isWholeSeconds: true },
  parentShutdownDuration: { kind: "duration", leastMs: 1_000 },
  terminationDrainDuration: { kind: "duration", leastMs: 0 },
  discoveryAddress: address,
  discoveryRefreshDelay: { kind: "duration", leastMs: 0 },
  zipkinAddress: address,
  statsdUdpAddress: address,
  envoyMetricsServiceAddress: address,
  proxyAdminPort: port,
  statusPort: { kind: "integer", least: 0, most: 65_535 },
  availabilityZone: text,
  controlPlaneAuthPolicy: { kind: "choice", names: ["NONE", "MUTUAL_TLS"] },
  customConfigFile: text,
  proxyBootstrapTemplatePath: text,
  statNameLength: { kind: "integer", least: 1, most: 2 ** 31 - 1 },
  concurrency: count,
  interceptionMode: { kind: "choice", names: ["REDIRECT", "TPROXY", "NONE"] },
  tracing: message({
    zipkin: message({ address }),
    lightstep: message({ address, accessToken: text }),
    datadog: message({ address }),
    stackdriver: any,
    openCensusAgent: any,
    openTelemetry: message({ address }),
    customTags: any,
    maxPathTagLength: count,
    sampling: { kind: "number" },
    tlsSettings,
    enableIstioTags: flag,
  }),
  envoyAccessLogService: remoteService,
  envoyMetricsService: remoteService,
  proxyMetadata: { kind: "map" },
  runtimeValues: { kind: "map" },
  extraStatTags: texts,
  meshId: text,
  readinessProbe,
  proxyStatsMatcher: message({
    inclusionPrefixes: texts,
    inclusionSuffixes: texts,
    inclusionRegexps: texts,
  }),
  holdApplicationUntilProxyStarts: flag,
  caCertificatesPem: texts,
  image: message({ imageType: text }),
  privateKeyProvider: any,
  proxyHeaders: any,
  fileFlushInterval: { kind: "duration", leastMs: 1 },
  fileFlushMinSizeKb: { kind: "integer", least: 0, most: 2 ** 32 - 1, isOptional: true },
  statsCompression: flag,
  connectionSettings: message({
    globalDownstreamConnectionLimit: { kind: "integer", least: 0, most: 2 ** 32 - 1, isOptional: true },
  }),
} as const satisfies Readonly<Record<string, Field>>;
