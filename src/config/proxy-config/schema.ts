/**
 * The fields of Istio's ProxyConfig and what each may hold (Istio's mesh config reference; mesh/v1alpha1/proxy.proto).
 */
import {
  address,
  choice,
  count,
  duration,
  type Field,
  flag,
  message,
  optionalCount,
  port,
  portOrNone,
  smallCount,
  text,
  textMap,
  texts,
} from "./field.ts";
import {
  connectionSettings,
  gatewayTopology,
  privateKeyProvider,
  proxyHeaders,
  readinessProbe,
  remoteService,
  tracing,
} from "./messages.ts";
import { longestUint32Ms, longestUint32SecondsMs, workers } from "../../schema/range.ts";

/** Every field by its JSON name; `snake_case` is read as well. */
export const proxyConfigFields = {
  configPath: {
    ...text,
    default: "./etc/istio/proxy",
    isRequired: true,
    describe: "Folder of Envoy's bootstrap, of the agent's sockets, and of what the agent keeps.",
  },
  binaryPath: {
    ...text,
    default: "/usr/local/bin/envoy",
    describe: "Envoy's binary, where --binaryPath names none.",
  },
  serviceCluster: {
    ...text,
    isOptional: true,
    oneOf: "service_name",
    default: "istio-proxy",
    unset: "",
    describe: "Envoy's service cluster, the name under which tracers know the workload.",
  },
  tracingServiceName: {
    ...choice("APP_LABEL_AND_NAMESPACE", "CANONICAL_NAME_ONLY", "CANONICAL_NAME_AND_NAMESPACE"),
    isOptional: true,
    oneOf: "service_name",
    describe: "Makes that name of the pod's labels and namespace instead.",
  },
  drainDuration: {
    ...duration(1_000, longestUint32SecondsMs),
    isWholeSeconds: true,
    default: "45s",
    describe: "How long an Envoy whose place another one takes closes its connections gradually.",
  },
  // Istio has retired it; what it said here still counts.
  parentShutdownDuration: {
    ...duration(1_000, longestUint32SecondsMs),
    isUntold: true,
    describe: "Longest life of an Envoy whose place another one has taken.",
  },
  terminationDrainDuration: { ...duration(0), default: "5s", describe: "How long Envoy drains on a stop." },
  discoveryAddress: {
    ...address,
    annotation: "sidecar.istio.io/discoveryAddress",
    default: "istiod.istio-system.svc:15012",
    isRequired: true,
    describe: "The control plane.",
  },
  discoveryRefreshDelay: { ...duration(0), describe: "Has no effect here; the control plane is told." },
  zipkinAddress: { ...address, describe: "Istio 1.5's way to say tracing.zipkin.address." },
  statsdUdpAddress: { ...address, describe: "StatsD server that gets Envoy's statistics." },
  envoyMetricsServiceAddress: { ...address, describe: "Istio 1.5's way to say envoyMetricsService.address." },
  proxyAdminPort: { ...port, default: 15000, describe: "Port of Envoy's admin interface on loopback." },
  availabilityZone: { ...text, describe: "Has no effect here; the control plane is told." },
  controlPlaneAuthPolicy: {
    ...choice("NONE", "MUTUAL_TLS"),
    default: "MUTUAL_TLS",
    describe: "NONE reaches the control plane in plain text.",
  },
  customConfigFile: { ...text, describe: "Bootstrap that is used as it is, but for the admin interface." },
  proxyBootstrapTemplatePath: { ...text, describe: "Template of the bootstrap, instead of the release's." },
  statNameLength: {
    ...smallCount,
    default: 189,
    describe: "Has no effect here, as Envoy bounds no names any more; the control plane is told.",
  },
  statusPort: {
    ...portOrNone,
    annotation: "status.sidecar.istio.io/port",
    default: 15020,
    describe: "Status port of the agent; 0 for none.",
  },
  concurrency: {
    ...optionalCount(workers.least, workers.most),
    describe:
      "Worker threads of Envoy; the CPUs that the container may use unless set, all of the machine for 0.",
  },
  interceptionMode: {
    ...choice("REDIRECT", "TPROXY", "NONE"),
    describe:
      "How traffic is captured; ISTIO_META_INTERCEPTION_MODE counts here, the control plane is told of this.",
  },
  tracing: { ...tracing, describe: "Tracer of Envoy." },
  sds: {
    ...message({ enabled: { kind: "flag" }, k8sSaJwtPath: text }),
    describe: "Has no effect here, as secrets always come over SDS; the control plane is told.",
  },
  envoyAccessLogService: { ...remoteService, describe: "Server of Envoy's access log service." },
  envoyMetricsService: { ...remoteService, describe: "Server of Envoy's metrics service." },
  proxyMetadata: {
    ...textMap,
    isMergedByKey: true,
    unset: {},
    describe: "Names that begin with ISTIO_META_ are node metadata, as variables of that name are.",
  },
  runtimeValues: { ...textMap, unset: {}, describe: "Envoy's runtime, such as envoy.reloadable_features.x." },
  extraStatTags: {
    ...texts,
    unset: [],
    describe: "Tags that are taken out of names of statistics, beside Istio's.",
  },
  gatewayTopology: { ...gatewayTopology, describe: "What stands before a gateway; for the control plane." },
  meshId: { ...text, describe: "Name of the mesh; for the control plane." },
  readinessProbe: {
    ...readinessProbe,
    describe: "Check of the workload, whose result the control plane is told.",
  },
  proxyStatsMatcher: {
    ...message({
      inclusionPrefixes: texts,
      inclusionSuffixes: texts,
      inclusionRegexps: texts,
    }),
    describe: "Statistics that Envoy keeps, beside those that Istio needs.",
  },
  holdApplicationUntilProxyStarts: { ...flag, describe: "For the injector." },
  caCertificatesPem: { ...texts, unset: [], describe: "Roots beside those of the CA." },
  image: { ...message({ imageType: text }), describe: "For the injector." },
  privateKeyProvider: {
    ...privateKeyProvider,
    describe: "What signs with the workload's key in Envoy's stead.",
  },
  proxyHeaders: {
    ...proxyHeaders,
    isMergedByKey: true,
    describe: "Headers that Envoy adds; for the control plane.",
  },
  fileFlushInterval: {
    ...duration(1, longestUint32Ms),
    unset: "1s",
    describe: "How long Envoy may hold back what it writes to files.",
  },
  fileFlushMinSizeKb: { ...count, describe: "How much of it, in KiB." },
  statsCompression: { ...flag, unset: true, describe: "Let Envoy compress the statistics that it serves." },
  connectionSettings: {
    ...connectionSettings,
    describe:
      "Limits of connections; globalDownstreamConnectionLimit is in the bootstrap, the others are for the control plane.",
  },
} as const satisfies Readonly<Record<string, Field & { readonly describe: string }>>;
