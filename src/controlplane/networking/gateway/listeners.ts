/**
 * What a gateway listens on: a listener per port of its Gateways.
 */
import type {
  FilterChainJson,
  FilterChainMatchJson,
  FilterJson,
} from "../../../proto/envoy/envoy/config/listener/v3/listener_components_pb.js";
import type { ListenerJson } from "../../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import type { TcpRoute } from "../../config/objects.ts";
import { inboundPolicies } from "../authorization/inbound-policies.ts";
import { onEveryAddress } from "../captured-addresses.ts";
import { routedConnections } from "../connections.ts";
import { gatewayHttp } from "../filters.ts";
import type { PortFilters } from "../inbound.ts";
import { tlsInspector } from "../listener-filters.ts";
import { socketAddress } from "../load-assignment.ts";
import { withoutRivals } from "../rival-chains.ts";
import { isForGateway } from "../rule-match.ts";
import type { ProxyView } from "../view.ts";
import { gatewayTls } from "./server-tls.ts";
import {
  endsTls,
  type GatewayPort,
  type GatewayServer,
  gatewayPorts,
  rulesFor,
  sharedHosts,
} from "./servers.ts";
import { autoPassthroughChains } from "./sni-dnat.ts";

/** Those that have anything to do. */
export function gatewayListeners(view: ProxyView): readonly ListenerJson[] {
  const { model, routed, proxy } = view;
  if (routed === undefined) return [];
  const policies = inboundPolicies({ model: { ...routed, ...model }, proxy }, "CLIENT");
  return gatewayPorts(view).flatMap((port): readonly ListenerJson[] => {
    const where = port.bind ?? view.proxy.wildcards[0];
    const name = `${where}_${port.number}`;
    const chains = withoutRivals(chainsOf(view, port, name, policies.at(port.number)));
    if (chains.length === 0) return [];
    const isSecured = chains.some(
      ({ transportSocket, filterChainMatch }) =>
        transportSocket !== undefined || filterChainMatch?.serverNames !== undefined,
    );
    return [
      {
        name,
        ...(port.bind === undefined
          ? onEveryAddress(view.proxy, port.number)
          : { address: socketAddress(port.bind, port.number) }),
        trafficDirection: "OUTBOUND",
        ...(isSecured ? { listenerFilters: [tlsInspector()] } : {}),
        filterChains: [...chains],
      },
    ];
  });
}

function chainsOf(
  view: ProxyView,
  { kind, servers }: GatewayPort,
  listener: string,
  filters: PortFilters,
): readonly FilterChainJson[] {
  if (kind === "http") {
    const routeName = servers[0]?.routeName ?? "";
    return [
      { filters: [...filters.beforeHttp, gatewayHttp(`outbound_${listener};`, routeName, filters.http)] },
    ];
  }
  return servers.flatMap((server): readonly FilterChainJson[] => {
    const { spec, routeName } = server;
    if (routeName !== undefined)
      return [
        {
          ...named(server),
          transportSocket: gatewayTls(spec.tls ?? {}),
          filters: [
            ...filters.beforeHttp,
            gatewayHttp(spec.name ?? `outbound_${listener};`, routeName, filters.http),
          ],
        },
      ];
    if (spec.tls?.mode === "AUTO_PASSTHROUGH") return autoPassthroughChains(view, server);
    if (spec.tls !== undefined && !endsTls(spec)) return passthroughChains(view, server, filters.network);
    const route = tcpRouteOf(view, server);
    if (route === undefined) return [];
    return [
      {
        ...named(server),
        ...(spec.tls === undefined ? {} : { transportSocket: gatewayTls(spec.tls) }),
        filters: [...filters.network, routedConnections(view, route, spec.port.number)],
      },
    ];
  });
}

/** A server is known by the names of its hosts; that of every host takes all other names. */
function named({ hosts, spec }: GatewayServer): Pick<FilterChainJson, "filterChainMatch"> {
  const names = [...new Set(hosts.map(({ host }) => host))].toSorted();
  return spec.tls === undefined || names.includes("*") ? {} : { filterChainMatch: { serverNames: names } };
}

/** What no TLS is looked into for, or what was inside it, goes where the first rule says that is for the server. */
function tcpRouteOf(view: ProxyView, server: GatewayServer): TcpRoute["route"] | undefined {
  for (const rule of rulesFor(view, server.gateway)) {
    if (sharedHosts(server, rule).length === 0) continue;
    const route = rule.spec.tcp?.find(
      ({ match = [] }) =>
        match.length === 0 ||
        match.some((each) => isForGateway(each, server.gateway, server.spec.port.number)),
    );
    if (route !== undefined) return route.route;
  }
  return undefined;
}

/** TLS that ends behind the gateway goes by its server name. */
function passthroughChains(
  view: ProxyView,
  server: GatewayServer,
  first: readonly FilterJson[],
): readonly FilterChainJson[] {
  const port = server.spec.port.number;
  return rulesFor(view, server.gateway).flatMap((rule) => {
    if (sharedHosts(server, rule).length === 0) return [];
    return (rule.spec.tls ?? []).flatMap(({ match, route }) =>
      match
        .filter((each) => isForGateway(each, server.gateway, port))
        .map(({ sniHosts }): FilterChainJson => {
          const serverNames = [...new Set(sniHosts.map((name) => name.toLowerCase()))];
          const filterChainMatch: FilterChainMatchJson = { serverNames };
          return {
            ...(serverNames.includes("*") ? {} : { filterChainMatch }),
            filters: [...first, routedConnections(view, route, port)],
          };
        }),
    );
  });
}
