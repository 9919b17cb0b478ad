/**
 * Network filters: HTTP connection managers and TCP proxies.
 */
import type { FilterJson } from "../../proto/envoy/envoy/config/listener/v3/listener_components_pb.js";
import type { RouteConfigurationJson } from "../../proto/envoy/envoy/config/route/v3/route_pb.js";
import { RouterSchema } from "../../proto/envoy/envoy/extensions/filters/http/router/v3/router_pb.js";
import {
  HttpConnectionManagerSchema,
  type HttpConnectionManagerJson,
} from "../../proto/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { TcpProxySchema } from "../../proto/envoy/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { packed } from "./any.ts";

const common: HttpConnectionManagerJson = {
  useRemoteAddress: false,
  normalizePath: true,
  pathWithEscapedSlashesAction: "KEEP_UNCHANGED",
  streamIdleTimeout: "0s",
  proxy100Continue: true,
  upgradeConfigs: [{ upgradeType: "websocket" }],
  httpFilters: [{ name: "envoy.filters.http.router", typedConfig: packed(RouterSchema, {}) }],
};

function manager(json: HttpConnectionManagerJson): FilterJson {
  return {
    name: "envoy.filters.network.http_connection_manager",
    typedConfig: packed(HttpConnectionManagerSchema, { ...common, ...json }),
  };
}

/** Requests of the application, routed by a configuration that comes over RDS. */
export function outboundHttp(statPrefix: string, routeConfigName: string): FilterJson {
  return manager({
    statPrefix,
    rds: { configSource: { ads: {}, initialFetchTimeout: "0s", resourceApiVersion: "V3" }, routeConfigName },
  });
}

/** Requests to the application; the peer's identity is passed on in `x-forwarded-client-cert`. */
export function inboundHttp(statPrefix: string, routeConfig: RouteConfigurationJson): FilterJson {
  return manager({
    statPrefix,
    routeConfig,
    serverName: "istio-envoy",
    forwardClientCertDetails: "APPEND_FORWARD",
    setCurrentClientCertDetails: { subject: true, dns: true, uri: true },
  });
}

/** Bytes to one cluster. */
export function tcpProxy(cluster: string): FilterJson {
  return {
    name: "envoy.filters.network.tcp_proxy",
    typedConfig: packed(TcpProxySchema, { statPrefix: cluster, cluster }),
  };
}
