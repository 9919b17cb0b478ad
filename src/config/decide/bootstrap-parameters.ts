/**
 * What the configuration says about the holes of the bootstrap's template.
 */
import type { BootstrapParameters, Json } from "../../bootstrap/parameters.ts";
import { runtimeFlags } from "../../bootstrap/runtime.ts";
import { serviceCluster, type ServiceContext } from "../../bootstrap/services.ts";
import { statsPatterns, statsTags } from "../../bootstrap/stats.ts";
import { tracerOf } from "../../bootstrap/tracing.ts";
import { jsonValue } from "../../document/json.ts";
import { configurationLimits } from "../../document/limits.ts";
import type { HostPort } from "../../net/host-port.ts";
import type { AddressFamilies } from "../sources/addresses.ts";
import type { ConfigSources } from "../sources/config-sources.ts";
import { type ConfigProblem, shown } from "../../schema/config-problem.ts";
import { protobufDuration } from "../../schema/duration.ts";
import type { Environment } from "../sources/environment.ts";
import type { NodeDescription } from "./node.ts";
import { dnsRefreshRate } from "../sources/pilot-flags.ts";
import type { ProxyFlags } from "../sources/proxy-flags.ts";
import { type FlagTexts, readFlags } from "../../schema/flag-texts.ts";
import { paths, xdsSocketPath } from "../sources/paths.ts";
import type { MergedProxyConfig } from "../proxy-config/merge.ts";
import { everyField } from "../proxy-config/metadata.ts";
import type { ProxyConfig } from "../proxy-config/decode.ts";
import { describeRange, isWithin, type NumberRange } from "../../schema/range.ts";
import { isMapping } from "../../document/mapping.ts";
import { workloadSocketName } from "../sources/sds-sockets.ts";
import { statsAnnotations } from "./stats-annotations.ts";

/** What the bootstrap is decided from. */
export interface BootstrapChoice {
  readonly sources: ConfigSources;
  readonly flags: ProxyFlags;
  readonly env: Environment;
  readonly proxy: ProxyConfig;
  readonly merged: MergedProxyConfig;
  readonly node: NodeDescription;
  readonly families: AddressFamilies;
  readonly addresses: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  /** Where statistics go, by its address; undefined sends none. */
  readonly statsd: HostPort | undefined;
}

/** What may be a limit of them. */
const connections: NumberRange = {
  least: 1,
  most: Number.MAX_SAFE_INTEGER,
  noun: "number of connections",
};

/** Envoy's default limit of connections, where nobody sets one. */
const noLimit = 2_147_483_647;

/** Problems are added for what cannot be used, warnings for what is left out. */
export function bootstrapParameters(
  choice: BootstrapChoice,
  problems: ConfigProblem[],
  warnings: string[],
): Omit<BootstrapParameters, "adminSocketPath"> {
  const { sources, flags, env, proxy, node, families } = choice;
  const { metadata } = node;
  const { localhost, wildcard, additional } = families;
  const stats = statsAnnotations(
    choice.annotations,
    proxy.proxyStatsMatcher,
    choice.addresses,
    problems,
    warnings,
  );
  const isWaypoint = sources.proxyType === "waypoint";
  const usesDelta = env.ISTIO_DELTA_XDS || isWaypoint;
  const discoversPeers = usesDelta && (isWaypoint || metadata["METADATA_DISCOVERY"] === "true");
  const services = envoyServices(choice, problems, warnings);
  const isLocalOnly = proxy.proxyMetadata["METRICS_LOCALHOST_ACCESS_ONLY"] === "true";
  return {
    nodeId: node.id,
    nodeCluster: node.cluster,
    locality: node.locality,
    metadata,
    logAsJson: flags.log_as_json,
    runtimeFlags: runtimeFlags({
      keepsFragments: !env.HTTP_STRIP_FRAGMENT_FROM_PATH_UNSAFE_IF_DISABLED,
      forbidsTls13: env.COMPLIANCE_POLICY === "fips-140-2",
      values: proxy.runtimeValues,
    }),
    discoversPeers,
    statsFlushInterval: stats.flushInterval,
    statsEvictionInterval: stats.evictionInterval,
    statsTags: statsTags([...proxy.extraStatTags, ...stats.extraTags]),
    statsPatterns: statsPatterns({ ...stats.inclusion, discoversPeers }),
    histogramBuckets: stats.histogramBuckets,
    xdsSocketPath: xdsSocketPath(proxy.configPath),
    sdsSocketPath: `${paths.sdsFolder}/${workloadSocketName(env.WORKLOAD_IDENTITY_SOCKET_FILE, [])}`,
    filesSocketPath: sources.sdsSockets.isWorkloadExternal ? paths.filesSocket : null,
    xdsApiType: usesDelta ? "DELTA_GRPC" : "GRPC",
    localhost,
    wildcard,
    additionalWildcard: additional?.wildcard ?? null,
    statsAddress: isLocalOnly ? localhost : wildcard,
    additionalStatsAddress: (isLocalOnly ? additional?.localhost : additional?.wildcard) ?? null,
    proxyConfig: everyField(choice.merged),
    agentStatusPort: proxy.statusPort,
    envoyStatusPort: env.ENVOY_STATUS_PORT,
    acceptsProxyProtocol: env.ENVOY_STATUS_PORT_ENABLE_PROXY_PROTOCOL,
    prometheusPort: env.ENVOY_PROMETHEUS_PORT,
    secureMetricsPort: env.ENVOY_SECURE_METRICS_PORT,
    secureMergedMetricsPort: env.ENVOY_SECURE_MERGED_METRICS_PORT,
    maxDownstreamConnections: connectionLimit(proxy, problems),
    discoversSelf: metadata["ENABLE_SELF_DISCOVERY"] === "true",
    serviceClusters: services.clusters,
    statsSinks: services.sinks,
    tracing: services.tracing,
    clusterManager: clusterManager(choice, problems),
  };
}

function connectionLimit(proxy: ProxyConfig, problems: ConfigProblem[]): number {
  const configured = proxy.connectionSettings?.globalDownstreamConnectionLimit;
  if (configured !== undefined) return configured;
  const sources = [
    ["proxyMetadata.ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS", proxy.proxyMetadata],
    ["runtimeValues.overload.global_downstream_max_connections", proxy.runtimeValues],
  ] as const;
  for (const [path, values] of sources) {
    const text = values[path.slice(path.indexOf(".") + 1)];
    if (text === undefined || text === "") continue;
    const limit = /^\d+$/.test(text) ? Number(text) : 0;
    if (isWithin(limit, connections)) return limit;
    problems.push({
      source: "ProxyConfig",
      path,
      message: `${shown(text)} is not ${describeRange(connections)}`,
    });
  }
  return noLimit;
}

interface EnvoyServices {
  readonly clusters: readonly Json[];
  readonly sinks: readonly Json[];
  readonly tracing: Json;
}

function envoyServices(
  choice: BootstrapChoice,
  problems: ConfigProblem[],
  warnings: string[],
): EnvoyServices {
  const { sources, flags, env, proxy, node, families } = choice;
  const { metadata } = node;
  const file = (name: string): string | undefined =>
    typeof metadata[name] === "string" && metadata[name] !== "" ? metadata[name] : undefined;
  const context: ServiceContext = {
    hostIp: env.HOST_IP,
    dnsLookupFamily: families.dnsLookupFamily,
    filesCluster: sources.sdsSockets.isWorkloadExternal ? "sds-files-grpc" : "sds-grpc",
    clientFiles: {
      certificate: file("TLS_CLIENT_CERT_CHAIN"),
      key: file("TLS_CLIENT_KEY"),
      root: file("TLS_CLIENT_ROOT_CERT"),
    },
  };
  const tracer = tracerOf(proxy.tracing, {
    ...context,
    serviceName: node.cluster,
    dnsRefreshRate: refreshRate(flags, problems),
  });
  for (const gone of ["stackdriver", "openCensusAgent"] as const) {
    if (proxy.tracing[gone] === undefined) continue;
    warnings.push(`ProxyConfig: tracing.${gone}: Envoy has no such tracer any more; use openTelemetry`);
  }
  const services = [
    ["envoy_metrics_service", proxy.envoyMetricsService],
    ["envoy_accesslog_service", proxy.envoyAccessLogService],
  ] as const;
  const clusters = services.flatMap(([name, { address, tlsSettings, tcpKeepalive }]) =>
    address === undefined
      ? []
      : [
          serviceCluster(
            { name, address, isHttp2: true, tls: tlsSettings, meshSni: name, keepalive: tcpKeepalive },
            context,
          ),
        ],
  );
  return {
    clusters: [...(tracer === undefined ? [] : [tracer.cluster]), ...clusters],
    sinks: [...(proxy.envoyMetricsService.address === undefined ? [] : [metricsSink]), ...statsdSink(choice)],
    tracing: tracer?.tracing ?? null,
  };
}

/** Envoy's own form, whatever Go's is. */
function refreshRate({ pilot: { dnsRefreshRate: text } }: ProxyFlags, problems: ConfigProblem[]): string {
  const given: FlagTexts = text === undefined ? {} : { dnsRefreshRate: [text] };
  return protobufDuration(readFlags({ dnsRefreshRate }, given, problems).dnsRefreshRate);
}

const metricsSink: Json = {
  name: "envoy.stat_sinks.metrics_service",
  typed_config: {
    "@type": "type.googleapis.com/envoy.config.metrics.v3.MetricsServiceConfig",
    transport_api_version: "V3",
    grpc_service: { envoy_grpc: { cluster_name: "envoy_metrics_service" } },
  },
};

function statsdSink({ statsd }: BootstrapChoice): readonly Json[] {
  if (statsd === undefined) return [];
  return [
    {
      name: "envoy.stat_sinks.statsd",
      typed_config: {
        "@type": "type.googleapis.com/envoy.config.metrics.v3.StatsdSink",
        address: { socket_address: { address: statsd.host, port_value: statsd.port } },
      },
    },
  ];
}

/** Null leaves the block out, and deferred creation of clusters with it. */
function clusterManager({ flags, node }: BootstrapChoice, problems: ConfigProblem[]): Json {
  const text = node.metadata["LOAD_STATS_CONFIG_JSON"];
  const { outlierLogPath } = flags;
  const discoversSelf = node.metadata["ENABLE_SELF_DISCOVERY"] === "true";
  const loadStats = typeof text === "string" && text !== "" ? loadStatsConfig(text, problems) : undefined;
  if (outlierLogPath === undefined && loadStats === undefined && !discoversSelf) return null;
  return {
    ...(discoversSelf ? { local_cluster_name: "local_cluster" } : {}),
    ...(outlierLogPath === undefined ? {} : { outlier_detection: { event_log_path: outlierLogPath } }),
    ...(loadStats === undefined ? {} : { load_stats_config: loadStats }),
    enable_deferred_cluster_creation: true,
  };
}

function loadStatsConfig(text: string, problems: ConfigProblem[]): Json | undefined {
  const value = jsonValue(text, configurationLimits);
  if (isMapping(value)) return value as Json;
  problems.push({
    source: "ISTIO_META_LOAD_STATS_CONFIG_JSON",
    path: "",
    message: "is not a JSON object with Envoy's ApiConfigSource",
  });
  return undefined;
}
