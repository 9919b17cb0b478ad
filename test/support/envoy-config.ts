/** Pieces of static Envoy configuration. */

export interface ListenerOptions {
  readonly port: number;
  readonly name?: string;
  readonly address?: string;
  /** Left out unless given: Envoy's own default, on. */
  readonly reusePort?: boolean;
  /** Requests go to this cluster instead of being answered. */
  readonly cluster?: string;
  /** Before the router. */
  readonly httpFilters?: readonly object[];
  /** A transport socket such as `tlsFromSds` makes. */
  readonly transportSocket?: object;
}

/** A listener that answers every request by itself. */
export function directResponseListener(options: ListenerOptions): object {
  const manager = {
    "@type":
      "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: "direct",
    codec_type: "AUTO",
    route_config: {
      virtual_hosts: [
        {
          name: "any",
          domains: ["*"],
          routes: [
            {
              match: { prefix: "/" },
              ...(options.cluster === undefined
                ? { direct_response: { status: 200, body: { inline_string: "direct" } } }
                : { route: { cluster: options.cluster } }),
            },
          ],
        },
      ],
    },
    http_filters: [
      ...(options.httpFilters ?? []),
      {
        name: "envoy.filters.http.router",
        typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
      },
    ],
  };
  const filters = [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }];
  return {
    name: options.name ?? "direct",
    address: {
      socket_address: { address: options.address ?? "127.0.0.1", port_value: options.port },
    },
    ...(options.reusePort === undefined ? {} : { enable_reuse_port: options.reusePort }),
    filter_chains: [
      {
        filters,
        ...(options.transportSocket === undefined ? {} : { transport_socket: options.transportSocket }),
      },
    ],
  };
}

/** A static HTTP/2 cluster on loopback. */
export function grpcCluster(name: string, port: number): object {
  return {
    name,
    type: "STATIC",
    connect_timeout: "1s",
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [
        {
          lb_endpoints: [
            { endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } } },
          ],
        },
      ],
    },
  };
}

/** A gRPC source of configuration in that cluster. */
export function grpcSource(cluster: string, initialFetchTimeout: string): object {
  return {
    api_config_source: {
      api_type: "GRPC",
      transport_api_version: "V3",
      grpc_services: [{ envoy_grpc: { cluster_name: cluster } }],
    },
    resource_api_version: "V3",
    initial_fetch_timeout: initialFetchTimeout,
  };
}

/** A cluster whose members come from a control plane: Envoy is not LIVE before it has answered. */
export function edsCluster(name: string, sourceCluster: string): object {
  return {
    name,
    type: "EDS",
    connect_timeout: "1s",
    eds_cluster_config: { eds_config: grpcSource(sourceCluster, "0s") },
  };
}

/** A TLS server whose certificate is the secret `workload` of `source`. */
export function tlsFromSds(source: object): object {
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
      common_tls_context: {
        tls_certificate_sds_secret_configs: [{ name: "workload", sds_config: source }],
      },
    },
  };
}

/** A static HTTP/2 cluster at a Unix socket. */
export function pipeCluster(name: string, path: string): object {
  return {
    ...grpcCluster(name, 0),
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path } } } }] }],
    },
  };
}

/** A TLS server as Istio configures one: the workload's certificate, and clients of any SPIFFE ID, by the agent's SDS. */
export function mutualTlsFromSds(source: object): object {
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
      require_client_certificate: true,
      common_tls_context: {
        tls_certificate_sds_secret_configs: [{ name: "default", sds_config: source }],
        combined_validation_context: {
          default_validation_context: {
            match_typed_subject_alt_names: [{ san_type: "URI", matcher: { prefix: "spiffe://" } }],
          },
          validation_context_sds_secret_config: { name: "ROOTCA", sds_config: source },
        },
      },
    },
  };
}

/** The bootstrap of an Envoy without an agent: everything comes from a control plane in plain text. */
export function adsBootstrap(
  node: { readonly id: string; readonly metadata: object },
  port: number,
  protocol: "GRPC" | "DELTA_GRPC",
): object {
  const source = { ads: {}, initial_fetch_timeout: "0s", resource_api_version: "V3" };
  return {
    node: { cluster: "test", ...node },
    dynamic_resources: {
      ads_config: {
        api_type: protocol,
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc" } }],
      },
      cds_config: source,
      lds_config: source,
    },
    static_resources: { clusters: [grpcCluster("xds-grpc", port)] },
  };
}
