/**
 * Listeners of a sidecar that captures nothing (INTERCEPTION_MODE NONE): each binds the port that its Sidecar names.
 */
import type { ClusterJson } from "../../proto/envoy/envoy/config/cluster/v3/cluster_pb.js";
import type { ListenerJson } from "../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import type { EgressListener, IngressListener } from "../config/objects.ts";
import { protocolOf } from "../model/build-model.ts";
import { type Model, mutualTlsMode, type Service } from "../model/model.ts";
import type { Proxy } from "../model/proxy.ts";
import { tlsInspector } from "./captured.ts";
import { defaultEndpointCluster, socketAddress } from "./clusters.ts";
import { outboundHttp, tcpProxy } from "./filters.ts";
import { inboundChains } from "./inbound.ts";
import { inboundCluster, isHttp, outboundCluster } from "./names.ts";
import type { RoutedService } from "./routes.ts";
import type { ProxyView } from "./view.ts";
import { servicesNamed } from "./visibility.ts";

/** The inbound listener of an ingress. */
export function boundInbound(model: Model, proxy: Proxy, ingress: IngressListener): ListenerJson {
  const bind = ingress.bind ?? "0.0.0.0";
  const { number, protocol } = ingress.port;
  return {
    name: `${bind}_${number}`,
    address: socketAddress(bind, number),
    trafficDirection: "INBOUND",
    listenerFilters: [tlsInspector],
    listenerFiltersTimeout: "5s",
    filterChains: [
      ...inboundChains({
        port: number,
        protocol: protocolOf(protocol),
        mode: mutualTlsMode(model, proxy, number),
        trustDomains: model.settings.trustDomains,
        isCaptured: false,
      }),
    ],
  };
}

/** Cluster of the application behind an ingress. */
export function ingressCluster({ port, defaultEndpoint }: IngressListener): ClusterJson {
  return defaultEndpointCluster(
    inboundCluster(port.number),
    defaultEndpoint,
    protocolOf(port.protocol) === "http2",
  );
}

/** A bound outbound listener and, for HTTP, what its routes lead to. */
export interface BoundOutbound {
  readonly listener: ListenerJson;
  readonly routes: { readonly name: string; readonly routed: readonly RoutedService[] } | undefined;
}

/** Listeners of every egress that names a port. */
export function boundOutbound({ model, proxy, sidecar }: ProxyView): readonly BoundOutbound[] {
  return (sidecar?.egress ?? []).flatMap((egress) => {
    const { port } = egress;
    if (port === undefined) return [];
    const services = servicesNamed(model.services, egress.hosts, proxy.namespace);
    return protocolOf(port.protocol) === "tcp"
      ? tcpListener(egress, port.number, services)
      : [httpListener(egress, port.number, services)];
  });
}

function httpListener(egress: EgressListener, port: number, services: readonly Service[]): BoundOutbound {
  const name = `${egress.bind ?? "127.0.0.1"}_${port}`;
  const routed = services.flatMap((service): RoutedService[] => {
    const http = service.ports.filter(isHttp);
    const chosen = http.find(({ number }) => number === port) ?? (http.length === 1 ? http[0] : undefined);
    return chosen === undefined ? [] : [{ service, port: chosen }];
  });
  return {
    listener: bound(egress, port, [{ filters: [outboundHttp(`outbound_${name};`, name)] }]),
    routes: { name, routed },
  };
}

/** A TCP listener leads to one service: the first that has the port, or one port only. */
function tcpListener(
  egress: EgressListener,
  port: number,
  services: readonly Service[],
): readonly BoundOutbound[] {
  for (const { host, ports } of services) {
    const chosen = ports.find(({ number }) => number === port) ?? (ports.length === 1 ? ports[0] : undefined);
    if (chosen === undefined) continue;
    const filters = [tcpProxy(outboundCluster(host, chosen.number))];
    return [{ listener: bound(egress, port, [{ filters }]), routes: undefined }];
  }
  return [];
}

function bound(
  egress: EgressListener,
  port: number,
  filterChains: NonNullable<ListenerJson["filterChains"]>,
): ListenerJson {
  const bind = egress.bind ?? "127.0.0.1";
  return {
    name: `${bind}_${port}`,
    address: socketAddress(bind, port),
    trafficDirection: "OUTBOUND",
    filterChains,
  };
}
