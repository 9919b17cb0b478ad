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
  /** Envoy's `stats_tags`. */
  readonly statsTags: Json;
  /** Envoy's string matchers of the statistics to keep. */
  readonly statsPatterns: Json;
  /** Path of this generation's admin socket. */
  readonly adminSocketPath: string;
  /** Path of the agent's ADS socket. */
  readonly xdsSocketPath: string;
  /** Path of the agent's SDS socket. */
  readonly sdsSocketPath: string;
  /** `DELTA_GRPC` or `GRPC`. */
  readonly xdsApiType: string;
  /** Loopback address of the pod's family. */
  readonly localhost: string;
  /** Any-address of the pod's family. */
  readonly wildcard: string;
  /** Address of the Prometheus listener. */
  readonly statsAddress: string;
  /** Port of the agent's status server. */
  readonly agentStatusPort: number;
  /** Port of Envoy's readiness listener. */
  readonly envoyStatusPort: number;
  /** Port of Envoy's Prometheus listener. */
  readonly prometheusPort: number;
  /** Limit of downstream connections over all listeners. */
  readonly maxDownstreamConnections: number;
}
