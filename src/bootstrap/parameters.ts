/**
 * What a bootstrap template may ask for.
 */

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The holes of a template, by name. A template that names another one is refused. */
export interface BootstrapParameters {
  /** Node ID, `<type>~<ip>~<pod>.<namespace>~<domain>`. */
  readonly nodeId: string;
  /** Node cluster: the workload as the control plane groups it. */
  readonly nodeCluster: string;
  /** `{region, zone, sub_zone}`, empty when unknown. */
  readonly locality: Json;
  /** Node metadata as Istio's control plane reads it. */
  readonly metadata: Json;
  /** Envoy's log as JSON instead of text. */
  readonly logAsJson: boolean;
  /** Runtime flags of the static layer. */
  readonly runtimeFlags: Json;
  /** Peers are discovered through the control plane: an extension that only Istio's Envoy has. */
  readonly discoversPeers: boolean;
  /** Envoy's `stats_flush_interval`; null leaves Envoy's own. */
  readonly statsFlushInterval: string | null;
  /** Envoy's `stats_eviction_interval`; null for none. */
  readonly statsEvictionInterval: string | null;
  /** Envoy's `stats_tags`. */
  readonly statsTags: Json;
  /** Envoy's string matchers of the statistics to keep. */
  readonly statsPatterns: Json;
  /** Envoy's `histogram_bucket_settings`. */
  readonly histogramBuckets: readonly Json[];
  /** Path of this generation's admin socket. */
  readonly adminSocketPath: string;
  /** Path of the agent's ADS socket. */
  readonly xdsSocketPath: string;
  /** Path of the SDS socket. */
  readonly sdsSocketPath: string;
  /** Path of the agent's SDS socket for files, where somebody else serves the other one; null otherwise. */
  readonly filesSocketPath: string | null;
  /** `DELTA_GRPC` or `GRPC`. */
  readonly xdsApiType: string;
  /** Loopback address of the pod's family. */
  readonly localhost: string;
  /** Any-address of the pod's family. */
  readonly wildcard: string;
  /** Any-address of the other family; null unless both are served. */
  readonly additionalWildcard: string | null;
  /** Address of the Prometheus listener. */
  readonly statsAddress: string;
  /** The same of the other family; null unless both are served. */
  readonly additionalStatsAddress: string | null;
  /** Every field of ProxyConfig but the tracers' tokens, by its name in Istio; null where nothing sets it. */
  readonly proxyConfig: Json;
  /** Port of the agent's status server. */
  readonly agentStatusPort: number;
  /** Port of Envoy's readiness listener. */
  readonly envoyStatusPort: number;
  /** Envoy's readiness listener accepts the PROXY protocol. */
  readonly acceptsProxyProtocol: boolean;
  /** Port of Envoy's Prometheus listener. */
  readonly prometheusPort: number;
  /** Port of Envoy's metrics over mutual TLS; 0 for none. */
  readonly secureMetricsPort: number;
  /** Port of the agent's metrics over mutual TLS; 0 for none. */
  readonly secureMergedMetricsPort: number;
  /** Limit of downstream connections over all listeners. */
  readonly maxDownstreamConnections: number;
  /** Envoy knows the endpoints of its own service, for zone-aware balancing. */
  readonly discoversSelf: boolean;
  /** Clusters of services that Envoy itself calls. */
  readonly serviceClusters: readonly Json[];
  /** Envoy's `stats_sinks`. */
  readonly statsSinks: readonly Json[];
  /** Envoy's `tracing`; null for none. */
  readonly tracing: Json;
  /** Envoy's `cluster_manager`; null for none. */
  readonly clusterManager: Json;
}
