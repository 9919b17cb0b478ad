/**
 * Listeners that a Sidecar names itself: the ports of its ingress and egress. Where nothing is captured
 * (INTERCEPTION_MODE NONE) each binds its port.
 */
import type { ClusterJson } from "../../proto/envoy/envoy/config/cluster/v3/cluster_pb.js";
import type { ListenerJson } from "../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import type { EgressListener, IngressListener } from "../config/objects.ts";
import { sidecarPorts } from "../config/sidecar-ports.ts";
import { protocolOf } from "../model/build-model.ts";
import { mutualTlsMode, type ServicePort } from "../model/model.ts";
import { httpChain, type Outbound } from "./captured.ts";
import { isWildcard, onEveryAddress, wildcards } from "./captured-addresses.ts";
import { defaultEndpointCluster } from "./clusters.ts";
import { connectionChains } from "./connections.ts";
import { outboundHttp, tcpProxy } from "./filters.ts";
import { inboundChains, type InboundPolicies } from "./inbound.ts";
import { httpInspector, tlsInspector } from "./listener-filters.ts";
import { socketAddress } from "./load-assignment.ts";
import { inboundCluster, isHttp, isHttp2 } from "./names.ts";
import type { RoutedService } from "./routes.ts";
import { virtualServiceFinder } from "./rule-match.ts";
import type { ProxyView, WorkloadView } from "./view.ts";
import { allowsAny, type EgressScope } from "./visibility.ts";

/** The inbound listener of an ingress. */
export function boundInbound(
  { model, proxy }: WorkloadView,
  ingress: IngressListener,
  policies: InboundPolicies,
): ListenerJson {
  const bind = ingress.bind ?? "0.0.0.0";
  const { number } = ingress.port;
  const protocol = protocolOf(ingress.port.protocol);
  const mode = mutualTlsMode(model, proxy, number);
  return {
    name: `${bind}_${number}`,
    address: socketAddress(bind, number),
    trafficDirection: "INBOUND",
    listenerFilters: [tlsInspector(), ...(protocol === "auto" && mode !== "STRICT" ? [httpInspector()] : [])],
    listenerFiltersTimeout: "5s",
    filterChains: [
      ...inboundChains({ port: number, service: undefined, protocol, mode, isCaptured: false }, policies),
    ],
  };
}

/** Cluster of the application behind an ingress. */
export function ingressCluster({ port, defaultEndpoint }: IngressListener): ClusterJson {
  return defaultEndpointCluster(
    inboundCluster(port.number),
    defaultEndpoint,
    isHttp2({ protocol: protocolOf(port.protocol) }),
  );
}

/** The listener of an egress that names a port: HTTP unless it says TCP or TLS. */
export function namedOutbound(view: ProxyView, scope: EgressScope): Outbound {
  const egress = scope.listener;
  if (egress?.port === undefined) return { listeners: [], routes: [] };
  const { number } = egress.port;
  const place = placeOf(view, egress, number);
  if (place.isShared && sidecarPorts.has(number)) return { listeners: [], routes: [] };
  const protocol = protocolOf(egress.port.protocol);
  return protocol === "tcp" || protocol === "tls"
    ? connections(view, scope, place, number)
    : requests(view, scope, place, number);
}

function requests(
  { sidecar }: ProxyView,
  { services, virtualServices }: EgressScope,
  { name, where, isShared }: Place,
  number: number,
): Outbound {
  const routed = services.flatMap((service): RoutedService[] => {
    const chosen = portCalled(
      service.ports.filter((port) => isHttp(port) || port.protocol === "auto"),
      number,
    );
    return chosen === undefined ? [] : [{ service, port: chosen }];
  });
  const routeName = isShared ? String(number) : name;
  return {
    listeners: [
      isShared
        ? {
            ...where,
            name,
            listenerFilters: [httpInspector()],
            filterChains: [httpChain(name, routeName)],
            defaultFilterChain: {
              name: "PassthroughFilterChain",
              filters: [tcpProxy(allowsAny(sidecar) ? "PassthroughCluster" : "BlackHoleCluster")],
            },
          }
        : { ...where, name, filterChains: [{ filters: [outboundHttp(`outbound_${name};`, routeName)] }] },
    ],
    routes: [{ name: routeName, routed, virtualServices, isOnlyHost: false }],
  };
}

/** Connections lead to one service: the first that has the port, or one port only. */
function connections(
  view: ProxyView,
  { services, virtualServices }: EgressScope,
  { name, where }: Place,
  number: number,
): Outbound {
  const ruleOf = virtualServiceFinder(virtualServices);
  for (const service of services) {
    const port = portCalled(service.ports, number);
    if (port === undefined) continue;
    const called = { service, port, rule: ruleOf(service.host) };
    const chains = connectionChains(view, called, { ranges: [], byServerName: false });
    return { listeners: [{ ...where, name, filterChains: [...chains] }], routes: [] };
  }
  return { listeners: [], routes: [] };
}

function portCalled(ports: readonly ServicePort[], number: number): ServicePort | undefined {
  return ports.find((port) => port.number === number) ?? (ports.length === 1 ? ports[0] : undefined);
}

interface Place {
  readonly name: string;
  readonly where: Omit<ListenerJson, "name" | "filterChains">;
  /** It takes the place of the listener that a captured port has anyway. */
  readonly isShared: boolean;
}

function placeOf({ proxy }: ProxyView, { bind, captureMode }: EgressListener, number: number): Place {
  const isCaptured = proxy.interceptionMode !== "NONE" && captureMode !== "NONE";
  const direction = {
    trafficDirection: "OUTBOUND",
    // Whoever waits for the server's first word is not kept waiting.
    listenerFiltersTimeout: "0s",
    continueOnListenerFiltersTimeout: true,
    ...(isCaptured ? { bindToPort: false } : {}),
  } as const;
  if (isCaptured && (bind === undefined || isWildcard(bind))) {
    const name = `${wildcards(proxy)[0]}_${number}`;
    return { name, where: { ...onEveryAddress(proxy, number), ...direction }, isShared: true };
  }
  const address = bind ?? "127.0.0.1";
  const name = `${address}_${number}`;
  return { name, where: { address: socketAddress(address, number), ...direction }, isShared: false };
}
