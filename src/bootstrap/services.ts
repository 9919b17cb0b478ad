/**
 * Services that Envoy itself calls: a tracer, a metrics and an access log service. Each is a cluster of the bootstrap.
 */
import { parseHostPort } from "../net/host-port.ts";
import type { Json } from "./parameters.ts";
import { type SecretSources, type TlsSettings, upstreamTlsSocket } from "./upstream-tls.ts";

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
export interface ServiceContext extends SecretSources {
  /** Stands for the literal host `$(HOST_IP)`; empty leaves it. */
  readonly hostIp: string;
  readonly dnsLookupFamily: string;
}

/** One cluster to make. */
export interface ServiceCluster {
  readonly name: string;
  readonly address: string;
  readonly isHttp2: boolean;
  readonly tls: TlsSettings | undefined;
  /** SNI to a peer of the mesh, where the settings have none. */
  readonly meshSni: string;
  readonly keepalive?: RemoteService["tcpKeepalive"];
  readonly dnsRefreshRate?: string;
}

/** Envoy's cluster for a service. */
export function serviceCluster(service: ServiceCluster, context: ServiceContext): Json {
  const { name, keepalive } = service;
  const { tls: settings, isHttp2, meshSni } = service;
  const socket = upstreamTlsSocket({ settings, isHttp2, meshSni }, context);
  return {
    name,
    alt_stat_name: `${name};`,
    type: "STRICT_DNS",
    // Nothing that Envoy serves needs it.
    wait_for_warm_on_init: false,
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
  const { host, port } = parseHostPort(address) ?? { host: "", port: 0 };
  const isHostIp = host === "$(HOST_IP)" && hostIp !== "";
  return { address: isHostIp ? hostIp : host, port_value: port };
}

function wholeSeconds(duration: string): number {
  return Math.max(1, Math.round(Number.parseFloat(duration)));
}
