/**
 * The two listeners that captured connections come to: 15001 outbound, 15006 inbound.
 */
import type { ListenerJson } from "../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import { inboundPort, outboundPort } from "../config/sidecar-ports.ts";
import type { Caller } from "../model/caller.ts";
import type { Proxy } from "../model/proxy.ts";
import { onEveryAddress } from "./captured-addresses.ts";
import { tcpProxy } from "./filters.ts";
import {
  inboundChains,
  type InboundPolicies,
  type InboundPort,
  passthroughChains,
  type UndeclaredPorts,
} from "./inbound.ts";
import { httpInspector, originalDestination, originalSource, tlsInspector } from "./listener-filters.ts";

/** A socket of connections to other addresses than its own (IP_TRANSPARENT): Envoy needs NET_ADMIN. */
function transparency({
  interceptionMode,
}: Pick<Proxy, "interceptionMode">): Pick<ListenerJson, "transparent"> {
  return interceptionMode === "TPROXY" ? { transparent: true } : {};
}

/** The listener that captured outbound connections reach, which hands them to the listener of their destination. */
export function virtualOutbound(proxy: Caller, allowAny: boolean): ListenerJson {
  return {
    name: "virtualOutbound",
    ...onEveryAddress(proxy, outboundPort),
    trafficDirection: "OUTBOUND",
    ...transparency(proxy),
    useOriginalDst: true,
    maxConnectionsToAcceptPerSocketEvent: 1,
    filterChains: [
      {
        name: "virtualOutbound-blackhole",
        // A connection to the listener's own port would come back to it for ever.
        filterChainMatch: { destinationPort: outboundPort },
        filters: [tcpProxy("BlackHoleCluster")],
      },
      {
        name: "virtualOutbound-catchall-tcp",
        filters: [tcpProxy(allowAny ? "PassthroughCluster" : "BlackHoleCluster")],
      },
    ],
  };
}

/** The listener that captured inbound connections reach, with the chains of each port and of all the others. */
export function virtualInbound(
  proxy: Proxy,
  ports: readonly InboundPort[],
  undeclared: readonly UndeclaredPorts[],
  policies: InboundPolicies,
): ListenerJson {
  const known = [
    ...ports.map(({ port, protocol, mode }) => ({ port, isAuto: protocol === "auto", mode })),
    ...undeclared.flatMap(({ port, mode }) => (port === undefined ? [] : [{ port, isAuto: true, mode }])),
  ];
  const withoutTls = known.filter(({ mode }) => mode === "DISABLE").map(({ port }) => port);
  // In mutual TLS the client says what is inside.
  const isHttpLookedFor = ({ isAuto, mode }: (typeof known)[number]): boolean => isAuto && mode !== "STRICT";
  const withoutHttp = known.filter((port) => !isHttpLookedFor(port)).map(({ port }) => port);
  const looksForHttp =
    known.some(isHttpLookedFor) ||
    undeclared.some(({ port, mode }) => port === undefined && mode !== "STRICT");
  return {
    name: "virtualInbound",
    ...onEveryAddress(proxy, inboundPort),
    trafficDirection: "INBOUND",
    ...transparency(proxy),
    maxConnectionsToAcceptPerSocketEvent: 1,
    listenerFilters: [
      originalDestination,
      ...(proxy.interceptionMode === "TPROXY" ? [originalSource] : []),
      tlsInspector([inboundPort, ...withoutTls]),
      ...(looksForHttp ? [httpInspector([inboundPort, ...withoutHttp])] : []),
    ],
    listenerFiltersTimeout: "0s",
    continueOnListenerFiltersTimeout: true,
    filterChains: [
      {
        name: "virtualInbound-blackhole",
        filterChainMatch: { destinationPort: inboundPort },
        filters: [tcpProxy("BlackHoleCluster")],
      },
      ...undeclared.flatMap((entry) => passthroughChains(entry, policies)),
      ...ports.flatMap((port) => inboundChains(port, policies)),
    ],
  };
}
