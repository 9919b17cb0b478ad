/**
 * Services that Envoy itself calls: a tracer, a metrics and an access log service. Each is a cluster of the bootstrap.
 */
import type { Json } from "./parameters.ts";

/** TLS to a service of Envoy's own: a tracer, a metrics or an access log service. */
export interface TlsSettings {
  readonly mode?: "DISABLE" | "SIMPLE" | "MUTUAL" | "ISTIO_MUTUAL";
  readonly clientCertificate?: string;
  readonly privateKey?: string;
  readonly caCertificates?: string;
  readonly subjectAltNames?: readonly string[];
  readonly sni?: string;
  readonly insecureSkipVerify?: boolean;
}

/** A metrics or access log service. */
export interface RemoteService {
  readonly address?: string;
  readonly tlsSettings?: TlsSettings;
  readonly tcpKeepalive?: { readonly probes?: number; readonly time?: string; readonly interval?: string };
}

/** Where spans go. */
export interface Tracing {
  readonly zipkin?: { readonly address?: string };
  readonly lightstep?: { readonly address?: string; readonly accessToken?: string };
  readonly datadog?: { readonly address?: string };
  readonly openTelemetry?: { readonly address?: string };
  readonly stackdriver?: unknown;
  readonly openCensusAgent?: unknown;
  readonly tlsSettings?: TlsSettings;
}

/** What clusters are made with. */
export interface ServiceContext {
  /** Stands for the literal host `$(HOST_IP)`; empty leaves it. */
  readonly hostIp: string;
  readonly dnsLookupFamily: string;
  /** Files of node metadata TLS_CLIENT_*, over those of the settings. */
  readonly clientFiles: {
    readonly certificate?: string | undefined;
    readonly key?: string | undefined;
    readonly root?: string | undefined;
  };
}

/** One cluster to make. */
export interface ServiceCluster {
  readonly name: string;
  readonly address: string;
  readonly isHttp2: boolean;
  readonly tls: TlsSettings | undefined;
  /** SNI where the settings have none. */
  readonly defaultSni: string;
  readonly keepalive?: RemoteService["tcpKeepalive"];
  readonly dnsRefreshRate?: string;
}

/** Envoy's cluster for a service. */
export function serviceCluster(service: ServiceCluster, context: ServiceContext): Json {
  const { name, keepalive } = service;
  const socket = tlsSocket(service, context);
  return {
    name,
    alt_stat_name: `${name};`,
    type: "STRICT_DNS",
    connect_timeout: "1s",
    respect_dns_ttl: true,
    dns_lookup_family: context.dnsLookupFamily,
    ...(service.dnsRefreshRate === undefined ? {} : { dns_refresh_rate: service.dnsRefreshRate }),
    lb_policy: "ROUND_ROBIN",
    ...(service.isHttp2 ? http2 : {}),
    ...(socket === undefined ? {} : { transport_socket: socket }),
    ...(keepalive === undefined
      ? {}
      : {
          upstream_connection_options: {
            tcp_keepalive: {
              ...(keepalive.probes === undefined ? {} : { keepalive_probes: keepalive.probes }),
              ...(keepalive.time === undefined ? {} : { keepalive_time: wholeSeconds(keepalive.time) }),
              ...(keepalive.interval === undefined
                ? {}
                : { keepalive_interval: wholeSeconds(keepalive.interval) }),
            },
          },
        }),
    load_assignment: {
      cluster_name: name,
      endpoints: [
        {
          lb_endpoints: [
            { endpoint: { address: { socket_address: socketAddress(service.address, context.hostIp) } } },
          ],
        },
      ],
    },
  };
}

/** HTTP/2 to a cluster. */
const http2 = {
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

/** `host:port` as Envoy's socket address. */
export function socketAddress(
  address: string,
  hostIp: string,
): { readonly address: string; readonly port_value: number } {
  const at = address.lastIndexOf(":");
  const host = address.slice(0, at).replace(/^\[(.*)\]$/, "$1");
  const isHostIp = host === "$(HOST_IP)" && hostIp !== "";
  return { address: isHostIp ? hostIp : host, port_value: Number(address.slice(at + 1)) };
}

function wholeSeconds(duration: string): number {
  return Math.max(1, Math.round(Number.parseFloat(duration)));
}

function tlsSocket(
  { tls, isHttp2, defaultSni }: ServiceCluster,
  { clientFiles }: ServiceContext,
): Json | undefined {
  if (tls?.mode === undefined || tls.mode === "DISABLE") return undefined;
  const isIstio = tls.mode === "ISTIO_MUTUAL";
  const certificate = clientFiles.certificate ?? tls.clientCertificate ?? "";
  const key = clientFiles.key ?? tls.privateKey ?? "";
  const root = clientFiles.root ?? tls.caCertificates ?? "";
  const names = (tls.subjectAltNames ?? []).map((exact) => ({ san_type: "DNS", matcher: { exact } }));
  const validation = names.length === 0 ? {} : { match_typed_subject_alt_names: names };
  const rootName = isIstio ? "ROOTCA" : `file-root:${root}`;
  const keyName = isIstio ? "default" : `file-cert:${certificate}~${key}`;
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
      sni: tls.sni || defaultSni,
      common_tls_context: {
        ...(isHttp2 ? { alpn_protocols: isIstio ? ["istio", "h2"] : ["h2"] } : {}),
        ...(tls.mode === "SIMPLE" ? {} : { tls_certificate_sds_secret_configs: [sdsSecret(keyName)] }),
        ...(root === "" && !isIstio
          ? {}
          : {
              combined_validation_context: {
                default_validation_context: validation,
                validation_context_sds_secret_config: sdsSecret(rootName),
              },
            }),
      },
    },
  };
}

/** A secret of the agent's SDS server. */
function sdsSecret(name: string): Json {
  return {
    name,
    sds_config: {
      api_config_source: {
        api_type: "GRPC",
        set_node_on_first_message_only: true,
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: "sds-grpc" } }],
      },
      initial_fetch_timeout: "0s",
      resource_api_version: "V3",
    },
  };
}
