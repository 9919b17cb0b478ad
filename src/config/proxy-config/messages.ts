/**
 * The messages inside Istio's ProxyConfig (mesh/v1alpha1/proxy.proto and what it imports), with the bounds of Istio's
 * validation.
 */
import {
  address,
  choice,
  count,
  duration,
  flag,
  message,
  optionalCount,
  port,
  smallCount,
  text,
  texts,
} from "./field.ts";

const tlsSettings = message({
  mode: choice("DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"),
  clientCertificate: text,
  privateKey: text,
  caCertificates: text,
  caCrl: text,
  credentialName: text,
  subjectAltNames: texts,
  sni: text,
  insecureSkipVerify: flag,
});

/** Istio's RemoteService: where, and with which TLS settings. */
export const remoteService = message({
  address,
  tlsSettings,
  tcpKeepalive: message({ probes: count, time: duration(0), interval: duration(0) }),
});

/** A protobuf Int64Value. */
const limit = {
  kind: "integer",
  range: { least: 0, most: Number.MAX_SAFE_INTEGER },
  isOptional: true,
  isText: true,
} as const;

const namedDefault = message({ name: text, defaultValue: text });

/** Istio's Tracing. */
export const tracing = message({
  zipkin: message({ address }),
  lightstep: message({ address, accessToken: { ...text, isUntold: true } }),
  datadog: message({ address }),
  stackdriver: message({
    debug: { kind: "flag" },
    maxNumberOfAttributes: limit,
    maxNumberOfAnnotations: limit,
    maxNumberOfMessageEvents: limit,
  }),
  openCensusAgent: message({
    address: text,
    context: {
      kind: "list",
      of: choice("UNSPECIFIED", "W3C_TRACE_CONTEXT", "GRPC_BIN", "CLOUD_TRACE_CONTEXT", "B3"),
    },
  }),
  // No field of Istio's: it configures this tracer through its Telemetry API only.
  openTelemetry: { ...message({ address }), isUntold: true },
  customTags: {
    kind: "map",
    of: message({ literal: message({ value: text }), environment: namedDefault, header: namedDefault }),
  },
  maxPathTagLength: count,
  sampling: { kind: "number", range: { least: 0, most: 100 } },
  tlsSettings,
  enableIstioTags: flag,
});

/** Istio's ReadinessProbe. */
export const readinessProbe = message({
  initialDelaySeconds: smallCount,
  timeoutSeconds: smallCount,
  periodSeconds: smallCount,
  successThreshold: smallCount,
  failureThreshold: smallCount,
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

const clientCertificateModes = choice(
  "UNDEFINED",
  "SANITIZE",
  "FORWARD_ONLY",
  "APPEND_FORWARD",
  "SANITIZE_SET",
  "ALWAYS_FORWARD_ONLY",
);

/** Istio's Topology of a gateway. */
export const gatewayTopology = message({
  numTrustedProxies: count,
  forwardClientCertDetails: clientCertificateModes,
  proxyProtocol: message({}),
});

/** A delay of nothing is refused by Istio. */
const keyProvider = message({ pollDelay: duration(0.001), fallback: flag });

/** Istio's PrivateKeyProvider. */
export const privateKeyProvider = message({ cryptomb: keyProvider, qat: keyProvider });

const switchedOff = message({ disabled: flag });
const switchedOn = message({ enabled: flag });

/** Istio's ProxyConfig.ProxyHeaders. */
export const proxyHeaders = message({
  forwardedClientCert: clientCertificateModes,
  setCurrentClientCertDetails: message({ subject: flag, cert: flag, chain: flag, dns: flag, uri: flag }),
  requestId: switchedOff,
  server: message({ disabled: flag, value: text }),
  attemptCount: switchedOff,
  envoyDebugHeaders: switchedOff,
  metadataExchangeHeaders: message({ mode: choice("UNDEFINED", "IN_MESH") }),
  preserveHttp1HeaderCase: flag,
  xForwardedHost: switchedOn,
  xForwardedPort: switchedOn,
});

/** Istio's settings of connections. */
export const connectionSettings = message({
  profile: choice("SIDECAR", "EDGE"),
  listenerPerConnectionBufferLimitBytes: optionalCount(0),
  clusterPerConnectionBufferLimitBytes: optionalCount(0),
  httpIdleTimeout: duration(0),
  httpMaxConnectionDuration: duration(0),
  httpDrainTimeout: duration(0),
  httpRequestTimeout: duration(0),
  httpRequestHeadersTimeout: duration(0),
  httpStreamIdleTimeout: duration(0),
  httpMaxStreamDuration: duration(0),
  httpMaxConcurrentStreams: optionalCount(1),
  http2InitialStreamWindowSize: optionalCount(65_535),
  http2InitialConnectionWindowSize: optionalCount(65_535),
  httpHeadersWithUnderscoresAction: choice(
    "HEADERS_WITH_UNDERSCORES_UNSPECIFIED",
    "HEADERS_WITH_UNDERSCORES_ALLOW",
    "HEADERS_WITH_UNDERSCORES_REJECT_REQUEST",
    "HEADERS_WITH_UNDERSCORES_DROP_HEADER",
  ),
  httpMergeSlashes: flag,
  httpPathWithEscapedSlashesAction: choice(
    "PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED",
    "KEEP_UNCHANGED",
    "REJECT_REQUEST",
    "UNESCAPE_AND_REDIRECT",
    "UNESCAPE_AND_FORWARD",
  ),
  listenerConnectionLimit: optionalCount(1),
  globalDownstreamConnectionLimit: optionalCount(1),
});
