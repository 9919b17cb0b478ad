/**
 * Listeners for what a captured application calls (INTERCEPTION_MODE REDIRECT or TPROXY). None of them binds:
 * connections come to them from `virtualOutbound`, by the address that was called.
 *
 * HTTP ports share a listener on every address, which routes by host; so do TLS ports, by server name, and services
 * without an address of their own. What has one is called there.
 */
import type { FilterChainJson } from "../../proto/envoy/envoy/config/listener/v3/listener_components_pb.js";
import type { ListenerJson } from "../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import { sidecarPorts } from "../config/sidecar-ports.ts";
import type { Service, ServicePort } from "../model/model.ts";
import { onEveryAddress, wildcards } from "./captured-addresses.ts";
import { type CapturedPlace, capturedPlace } from "./captured-place.ts";
import { chainFor, connectionChains } from "./connections.ts";
import { outboundHttp, tcpProxy } from "./filters.ts";
import { plainHttpAlpn } from "./inbound.ts";
import { httpInspector, tlsInspector } from "./listener-filters.ts";
import { socketAddress } from "./load-assignment.ts";
import { outboundCluster } from "./names.ts";
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
  const ruleOf = virtualServiceFinder(scope.virtualServices);
  const listeners = new CapturedListeners(view, scope);
  for (const service of scope.services) {
    const rule = ruleOf(service.host);
    for (const port of service.ports) {
      if (!taken.has(port.number)) listeners.add({ service, port, rule }, capturedPlace(service, port));
    }
  }
  return listeners.outbound();
}

/** A port of a service, with the rule of its host. */
type Called = Parameters<typeof chainFor>[2];

/** Listeners as the ports that need them come; of two at one place the first counts. */
class CapturedListeners {
  readonly #view: ProxyView;
  readonly #virtualServices: EgressScope["virtualServices"];
  /** By port number. */
  readonly #shared = new Map<number, SharedPort>();
  /** By name. */
  readonly #own = new Map<string, ListenerJson>();
  readonly #ownRoutes: RouteSet[] = [];

  constructor(view: ProxyView, { virtualServices }: EgressScope) {
    this.#view = view;
    this.#virtualServices = virtualServices;
  }

  add(called: Called, place: CapturedPlace): void {
    switch (place.kind) {
      case "routed":
        this.#route(called, place.takesOthers);
        break;
      case "detected":
        this.#detect(called, place.addresses);
        break;
      case "connections":
        this.#connect(called, place);
    }
  }

  outbound(): Outbound {
    const ports = [...this.#shared].toSorted(([a], [b]) => a - b);
    const [wildcard] = wildcards(this.#view.proxy);
    const routed = ports.filter(([, { kind }]) => kind === "http");
    const virtualServices = this.#virtualServices;
    return {
      listeners: [
        ...ports.map(([number, port]) => sharedListener(this.#view, wildcard, number, port)),
        ...this.#own.values(),
      ],
      routes: [
        ...routed.map(([number, port]) => {
          return { name: String(number), routed: port.routed, virtualServices, isOnlyHost: false };
        }),
        ...this.#ownRoutes,
      ],
    };
  }

  #route({ service, port }: Called, takesOthers: boolean): void {
    const there = this.#share(port.number, "http");
    if (there === undefined) return;
    there.routed.push({ service, port });
    if (takesOthers) there.otherwise ??= outboundCluster(service.host, port.number);
  }

  #detect(called: Called, addresses: readonly string[]): void {
    const { service, port } = called;
    const name = `${service.host}:${port.number}`;
    const virtualServices = this.#virtualServices;
    this.#ownRoutes.push({ name, routed: [{ service, port }], virtualServices, isOnlyHost: true });
    for (const address of addresses)
      this.#listenAt(address, port, () =>
        autoListener(address, port, name, chainFor(address, this.#view, called)),
      );
  }

  #connect(
    called: Called,
    { addresses, shared }: Extract<CapturedPlace, { readonly kind: "connections" }>,
  ): void {
    const { port } = called;
    for (const address of addresses)
      this.#listenAt(address, port, () => {
        const chains = connectionChains(this.#view, called, { ranges: [], byServerName: false });
        return connectionListener(listenerName(address, port), address, port, chains);
      });
    if (shared === undefined) return;
    const there = this.#share(port.number, shared.kind);
    there?.chains.push(...connectionChains(this.#view, called, shared));
  }

  #listenAt(address: string, port: ServicePort, make: () => ListenerJson): void {
    const name = listenerName(address, port);
    if (!this.#own.has(name)) this.#own.set(name, make());
  }

  /** Undefined where the port's listener is of another kind, or may not be. */
  #share(number: number, kind: SharedPort["kind"]): SharedPort | undefined {
    // A second listener at the address of one of the sidecar's own would take its place.
    if (sidecarPorts.has(number)) return undefined;
    const there = this.#shared.get(number) ?? { kind, chains: [], routed: [], otherwise: undefined };
    this.#shared.set(number, there);
    return there.kind === kind ? there : undefined;
  }
}

function listenerName(address: string, { number }: ServicePort): string {
  return `${address}_${number}`;
}

function sharedListener(
  view: ProxyView,
  wildcard: string,
  number: number,
  { kind, chains, otherwise }: SharedPort,
): ListenerJson {
  const name = `${wildcard}_${number}`;
  const passed = allowsAny(view.sidecar) ? "PassthroughCluster" : "BlackHoleCluster";
  const pass = { defaultFilterChain: { name: "PassthroughFilterChain", filters: [tcpProxy(passed)] } };
  if (kind === "http") {
    return unbound(name, onEveryAddress(view.proxy, number), {
      listenerFilters: [httpInspector()],
      filterChains: [httpChain(name, String(number))],
      ...(otherwise === undefined ? pass : { defaultFilterChain: { filters: [tcpProxy(otherwise)] } }),
    });
  }
  const unique = withoutRivals(chains);
  const takesAll = unique.some(({ filterChainMatch }) => filterChainMatch === undefined);
  return unbound(name, onEveryAddress(view.proxy, number), {
    ...(kind === "tls" ? { listenerFilters: [tlsInspector()] } : {}),
    filterChains: [...unique],
    ...(takesAll ? {} : pass),
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
export function autoListener(
  address: string,
  port: ServicePort,
  routeConfigName: string,
  otherwise: FilterChainJson | undefined,
): ListenerJson {
  const name = listenerName(address, port);
  return unbound(
    name,
    { address: socketAddress(address, port.number) },
    {
      listenerFilters: [httpInspector()],
      filterChains: [httpChain(name, routeConfigName)],
      ...(otherwise?.filters === undefined ? {} : { defaultFilterChain: { filters: otherwise.filters } }),
    },
  );
}

/** What is HTTP without TLS. */
export function httpChain(listener: string, routeConfigName: string): FilterChainJson {
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
