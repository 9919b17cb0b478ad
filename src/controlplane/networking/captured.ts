/**
 * Listeners for what a captured application calls (INTERCEPTION_MODE REDIRECT or TPROXY). None of them binds:
 * connections come to them from `virtualOutbound`, by the address that was called.
 *
 * HTTP ports share a listener on every address, which routes by host; so do TLS ports, by server name, and services
 * without an address of their own. What has one is called there.
 */
import type { FilterChainJson } from "../../proto/envoy/envoy/config/listener/v3/listener_components_pb.js";
import type { ListenerJson } from "../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import { isAddress } from "../config/forms.ts";
import { sidecarPorts } from "../config/sidecar-ports.ts";
import type { Service, ServicePort } from "../model/model.ts";
import { onEveryAddress, wildcards } from "./captured-addresses.ts";
import { chainFor, connectionChains } from "./connections.ts";
import { outboundHttp, tcpProxy } from "./filters.ts";
import { plainHttpAlpn } from "./inbound.ts";
import { httpInspector, tlsInspector } from "./listener-filters.ts";
import { socketAddress } from "./load-assignment.ts";
import { isHttp, outboundCluster } from "./names.ts";
import { withoutRivals } from "./rival-chains.ts";
import type { RouteSet } from "./routes.ts";
import { virtualServiceFinder } from "./rule-match.ts";
import type { ProxyView } from "./view.ts";
import { allowsAny, type EgressScope } from "./visibility.ts";

/** Listeners, and what the HTTP ones among them route by. */
export interface Outbound {
  readonly listeners: readonly ListenerJson[];
  readonly routes: readonly RouteSet[];
}

/** What one port on every address is for: whatever was there first decides. */
interface SharedPort {
  readonly kind: "http" | "tls" | "tcp";
  readonly chains: FilterChainJson[];
  readonly routed: { readonly service: Service; readonly port: ServicePort }[];
  /** What is no HTTP goes to the first service whose protocol is not known. */
  otherwise: string | undefined;
}

/** The listeners of everything that a scope shows, but for the ports of listeners that a Sidecar names itself. */
export function capturedOutbound(view: ProxyView, scope: EgressScope, taken: ReadonlySet<number>): Outbound {
  const { proxy } = view;
  const ruleOf = virtualServiceFinder(scope.virtualServices);
  const shared = new Map<number, SharedPort>();
  const own = new Map<string, ListenerJson>();
  const ownRoutes: RouteSet[] = [];
  const share = (number: number, kind: SharedPort["kind"]): SharedPort | undefined => {
    // A second listener at the address of one of the sidecar's own would take its place.
    if (sidecarPorts.has(number)) return undefined;
    const there = shared.get(number) ?? { kind, chains: [], routed: [], otherwise: undefined };
    shared.set(number, there);
    return there.kind === kind ? there : undefined;
  };
  for (const service of scope.services) {
    const addresses = service.addresses.filter((address) => isAddress(address));
    const ranges = service.addresses.filter((address) => !isAddress(address));
    for (const port of service.ports) {
      if (taken.has(port.number)) continue;
      const called = { service, port, rule: ruleOf(service.host) };
      if (isHttp(port)) share(port.number, "http")?.routed.push({ service, port });
      else if (port.protocol === "auto" && addresses.length === 0) {
        const there = share(port.number, "http");
        there?.routed.push({ service, port });
        if (there !== undefined) there.otherwise ??= outboundCluster(service.host, port.number);
      } else if (port.protocol === "auto") {
        const name = `${service.host}:${port.number}`;
        const routed = [{ service, port }];
        ownRoutes.push({ name, routed, virtualServices: scope.virtualServices, isOnlyHost: true });
        for (const address of addresses) {
          const listener = autoListener(address, port, name, chainFor(address, view, called));
          if (!own.has(listener.name ?? "")) own.set(listener.name ?? "", listener);
        }
      } else {
        const hosts = addresses.length > 0 ? addresses : headlessAddresses(service, port);
        for (const address of hosts) {
          const name = `${address}_${port.number}`;
          if (own.has(name)) continue;
          const chains = connectionChains(view, called, { ranges: [], byServerName: false });
          own.set(name, connectionListener(name, address, port, chains));
        }
        if (hosts.length > 0 && ranges.length === 0) continue;
        const isByName = port.protocol === "tls" && ranges.length === 0;
        share(port.number, port.protocol === "tls" ? "tls" : "tcp")?.chains.push(
          ...connectionChains(view, called, { ranges, byServerName: isByName }),
        );
      }
    }
  }
  const ports = [...shared].toSorted(([a], [b]) => a - b);
  const [wildcard] = wildcards(proxy);
  return {
    listeners: [
      ...ports.map(([number, port]) => sharedListener(view, wildcard, number, port)),
      ...own.values(),
    ],
    routes: [
      ...ports
        .filter(([, { kind }]) => kind === "http")
        .map(([number, { routed }]) => ({
          name: String(number),
          routed,
          virtualServices: scope.virtualServices,
          isOnlyHost: false,
        })),
      ...ownRoutes,
    ],
  };
}

/** A service without an address whose workloads are known by the caller itself is called at theirs. */
function headlessAddresses({ resolution, endpoints }: Service, port: ServicePort): readonly string[] {
  if (resolution !== "NONE" || port.protocol === "tls") return [];
  return [...new Set(endpoints.map(({ address }) => address).filter((address) => isAddress(address)))];
}

function sharedListener(
  view: ProxyView,
  wildcard: string,
  number: number,
  { kind, chains, otherwise }: SharedPort,
): ListenerJson {
  const name = `${wildcard}_${number}`;
  const passed = allowsAny(view.sidecar) ? "PassthroughCluster" : "BlackHoleCluster";
  const fallback = (cluster: string): Pick<ListenerJson, "defaultFilterChain"> => ({
    defaultFilterChain: { name: "PassthroughFilterChain", filters: [tcpProxy(cluster)] },
  });
  if (kind === "http") {
    return unbound(name, onEveryAddress(view.proxy, number), {
      listenerFilters: [httpInspector()],
      filterChains: [httpChain(name, String(number))],
      ...fallback(otherwise ?? passed),
    });
  }
  const unique = withoutRivals(chains);
  const takesAll = unique.some(({ filterChainMatch }) => filterChainMatch === undefined);
  return unbound(name, onEveryAddress(view.proxy, number), {
    ...(kind === "tls" ? { listenerFilters: [tlsInspector()] } : {}),
    filterChains: [...unique],
    ...(takesAll ? {} : fallback(passed)),
  });
}

function connectionListener(
  name: string,
  address: string,
  port: ServicePort,
  chains: readonly FilterChainJson[],
): ListenerJson {
  const looksForNames = chains.some(({ filterChainMatch }) => filterChainMatch?.serverNames !== undefined);
  return unbound(
    name,
    { address: socketAddress(address, port.number) },
    { ...(looksForNames ? { listenerFilters: [tlsInspector()] } : {}), filterChains: [...chains] },
  );
}

/** What is HTTP is routed, everything else goes as it is. */
function autoListener(
  address: string,
  { number }: ServicePort,
  routeConfigName: string,
  otherwise: FilterChainJson | undefined,
): ListenerJson {
  const name = `${address}_${number}`;
  return unbound(
    name,
    { address: socketAddress(address, number) },
    {
      listenerFilters: [httpInspector()],
      filterChains: [httpChain(name, routeConfigName)],
      ...(otherwise?.filters === undefined ? {} : { defaultFilterChain: { filters: otherwise.filters } }),
    },
  );
}

/** What is HTTP without TLS. */
function httpChain(listener: string, routeConfigName: string): FilterChainJson {
  return {
    filterChainMatch: { transportProtocol: "raw_buffer", applicationProtocols: plainHttpAlpn },
    filters: [outboundHttp(`outbound_${listener};`, routeConfigName)],
  };
}

function unbound(
  name: string,
  where: Pick<ListenerJson, "address" | "additionalAddresses">,
  rest: Partial<ListenerJson>,
): ListenerJson {
  return {
    name,
    ...where,
    trafficDirection: "OUTBOUND",
    bindToPort: false,
    listenerFiltersTimeout: "0s",
    continueOnListenerFiltersTimeout: true,
    ...rest,
  };
}
