/**
 * Network filters: HTTP connection managers and TCP proxies.
 */
import type { FilterJson } from "../../proto/envoy/envoy/config/listener/v3/listener_components_pb.js";
import type { RouteConfigurationJson } from "../../proto/envoy/envoy/config/route/v3/route_pb.js";
import { CorsSchema } from "../../proto/envoy/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { HTTPFaultSchema } from "../../proto/envoy/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { FilterConfigSchema } from "../../proto/envoy/envoy/extensions/filters/http/grpc_stats/v3/config_pb.js";
import { RouterSchema } from "../../proto/envoy/envoy/extensions/filters/http/router/v3/router_pb.js";
import {
  HttpConnectionManagerSchema,
  type HttpConnectionManagerJson,
} from "../../proto/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import {
  type TcpProxyJson,
  TcpProxySchema,
} from "../../proto/envoy/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { packed } from "./any.ts";

/** A filter of requests. */
export type HttpFilter = NonNullable<HttpConnectionManagerJson["httpFilters"]>[number];

/** Name of the filter that holds a route's faults. */
export const faultFilter = "envoy.filters.http.fault";

/** Name of the filter that holds a route's policy for other origins. */
export const corsFilter = "envoy.filters.http.cors";

/** Those that every request passes, in order; routes say what they do. */
const lastFilters: readonly HttpFilter[] = [
  {
    name: "envoy.filters.http.grpc_stats",
    typedConfig: packed(FilterConfigSchema, { emitFilterState: true, statsForAllMethods: false }),
  },
  { name: faultFilter, typedConfig: packed(HTTPFaultSchema, {}) },
  { name: corsFilter, typedConfig: packed(CorsSchema, {}) },
  { name: "envoy.filters.http.router", typedConfig: packed(RouterSchema, {}) },
];

const common: HttpConnectionManagerJson = {
  useRemoteAddress: false,
  normalizePath: true,
  pathWithEscapedSlashesAction: "KEEP_UNCHANGED",
  streamIdleTimeout: "0s",
  proxy100Continue: true,
  upgradeConfigs: [{ upgradeType: "websocket" }],
  httpFilters: [...lastFilters],
};

function manager(json: HttpConnectionManagerJson): FilterJson {
  return {
    name: "envoy.filters.network.http_connection_manager",
    typedConfig: packed(HttpConnectionManagerSchema, { ...common, ...json }),
  };
}

/** Requests of the application, routed by a configuration that comes over RDS. */
export function outboundHttp(statPrefix: string, routeConfigName: string): FilterJson {
  return manager({ statPrefix, rds: pushedRoutes(routeConfigName) });
}

/** Requests to the application; the peer's identity is passed on in `x-forwarded-client-cert`. */
export function inboundHttp(
  statPrefix: string,
  routeConfig: RouteConfigurationJson,
  { isHttp2, first }: { readonly isHttp2: boolean; readonly first: readonly HttpFilter[] },
): FilterJson {
  return manager({
    statPrefix,
    routeConfig,
    serverName: "istio-envoy",
    forwardClientCertDetails: "APPEND_FORWARD",
    setCurrentClientCertDetails: { subject: true, dns: true, uri: true },
    ...(isHttp2 ? { http2ProtocolOptions: {} } : {}),
    httpFilters: [...first, ...lastFilters],
  });
}

/** Requests from outside the mesh: what they say of who asks is not believed. */
export function gatewayHttp(
  statPrefix: string,
  routeConfigName: string,
  first: readonly HttpFilter[],
): FilterJson {
  return manager({
    statPrefix,
    rds: pushedRoutes(routeConfigName),
    useRemoteAddress: true,
    serverName: "istio-envoy",
    forwardClientCertDetails: "SANITIZE_SET",
    setCurrentClientCertDetails: { subject: true, cert: true, dns: true, uri: true },
    httpFilters: [...first, ...lastFilters],
  });
}

function pushedRoutes(routeConfigName: string): NonNullable<HttpConnectionManagerJson["rds"]> {
  return { configSource: { ads: {}, initialFetchTimeout: "0s", resourceApiVersion: "V3" }, routeConfigName };
}

/** A cluster and its share of the connections. */
export interface WeightedCluster {
  readonly name: string;
  readonly weight: number;
}

/** What a DestinationRule says of connections. */
export type ConnectionOptions = Pick<
  TcpProxyJson,
  "idleTimeout" | "maxDownstreamConnectionDuration" | "hashPolicy"
>;

/** Bytes to a cluster, or to one of several. */
export function tcpProxy(
  target: string | readonly WeightedCluster[],
  options: ConnectionOptions = {},
): FilterJson {
  const clusters = typeof target === "string" ? [{ name: target, weight: 1 }] : target;
  const [first] = clusters;
  const name = first?.name ?? "BlackHoleCluster";
  return {
    name: "envoy.filters.network.tcp_proxy",
    typedConfig: packed(TcpProxySchema, {
      statPrefix: name,
      ...(clusters.length > 1 ? { weightedClusters: { clusters: [...clusters] } } : { cluster: name }),
      ...options,
    }),
  };
}
