/**
 * Routes of outbound HTTP: virtual hosts by service, changed by VirtualServices.
 */
import type { RouteConfigurationJson } from "../../proto/envoy/envoy/config/route/v3/route_pb.js";
import type { VirtualHostJson } from "../../proto/envoy/envoy/config/route/v3/route_components_pb.js";
import { isAddress } from "../config/forms.ts";
import type { Service, ServicePort } from "../model/model.ts";
import { isHostNamed } from "../config/host-names.ts";
import { httpRoutes, type RouteView } from "./http-route.ts";
import { callableNames, isOfNamespace, namesOf, outboundCluster } from "./names.ts";
import { defaultAction } from "./route-action.ts";
import { asksForCaller, type VirtualService, virtualServiceFinder } from "./rule-match.ts";
import type { HostKeys, NamedHost, TranslationMemo } from "./translation-memo.ts";
import type { ProxyView } from "./view.ts";

/** A service with the one of its ports that is routed to. */
export interface RoutedService {
  readonly service: Service;
  readonly port: ServicePort;
}

/** What one listener routes by. */
export interface RouteSet {
  readonly name: string;
  readonly routed: readonly RoutedService[];
  readonly virtualServices: readonly VirtualService[];
  /** The listener is the service's alone: whatever host is asked for, it is meant. */
  readonly isOnlyHost: boolean;
}

/** Where requests go whose host no service has. */
export type Fallback = "passthrough" | "block";

/** What every route configuration has. */
export const routeSettings = {
  validateClusters: false,
  ignorePortInHostMatching: true,
  maxDirectResponseBodySizeBytes: 1_048_576,
} as const satisfies Partial<RouteConfigurationJson>;

/** The route configuration of a listener. */
export function routeConfiguration(
  { name, routed, virtualServices, isOnlyHost }: RouteSet,
  view: ProxyView,
  fallback: Fallback,
): RouteConfigurationJson {
  const ruleOf = virtualServiceFinder(virtualServices);
  const hosts = routed.map((entry) => virtualHost(entry, ruleOf(entry.service.host), view, isOnlyHost));
  const unknown = isOnlyHost ? [] : hostsWithoutService(name, routed, virtualServices, view);
  return {
    name,
    ...routeSettings,
    virtualHosts: [
      ...withOwnDomains([...hosts, ...unknown], view.memo),
      ...(isOnlyHost ? [] : [fallbackHost(fallback)]),
    ],
  };
}

/** Envoy refuses a configuration in which two hosts have a domain: the older of them keeps it, but a host's own name. */
function withOwnDomains(hosts: readonly NamedHost[], { keys }: TranslationMemo): readonly VirtualHostJson[] {
  const keysOf = (host: NamedHost): HostKeys => {
    let known = keys.get(host);
    if (known === undefined) {
      known = {
        name: host.name.toLowerCase(),
        domains: host.domains.map((domain) => domain.toLowerCase()),
      };
      keys.set(host, known);
    }
    return known;
  };
  // A full name is nobody's short name.
  const fullNames = new Map<string, NamedHost>();
  for (const host of hosts) {
    const [first = ""] = keysOf(host).domains;
    if (!fullNames.has(first)) fullNames.set(first, host);
  }
  const taken = new Set<string>();
  const names = new Set<string>();
  return hosts.flatMap((host) => {
    const { name, domains: lower } = keysOf(host);
    if (names.has(name)) return [];
    const domains = host.domains.filter((_, index) => {
      const key = lower[index] ?? "";
      const owner = fullNames.get(key);
      if (taken.has(key) || (owner !== undefined && owner !== host)) return false;
      taken.add(key);
      return true;
    });
    if (domains.length === 0) return [];
    names.add(name);
    // The host itself where it can be: what is made of it is kept by it.
    return [domains.length === host.domains.length ? host : { ...host, domains }];
  });
}

/** Callers of one namespace, of whom the rule asks nothing, have the same. */
export function virtualHost(
  { service, port }: RoutedService,
  rule: VirtualService | undefined,
  { memo, proxy, serviceOf, ruleOf }: ProxyView,
  isOnlyHost: boolean,
): NamedHost {
  const isOwn = isOfNamespace(service.host, proxy.namespace);
  const matched = rule !== undefined && asksForCaller(rule) ? memo.matched.of(proxy) : undefined;
  const domains = isOnlyHost ? ("all" as const) : isOwn ? ("own" as const) : ("others" as const);
  return memo.virtualHosts.get([service, matched, port, rule, domains], { serviceOf, ruleOf }, (lookups) => {
    const view = { proxy: matched && proxy, ...lookups };
    return virtualHostOf({ service, port }, rule, view, domains);
  });
}

function virtualHostOf(
  { service, port }: RoutedService,
  rule: VirtualService | undefined,
  view: RouteView,
  domains: "all" | "own" | "others",
): NamedHost {
  const { host, addresses } = service;
  const routes = rule === undefined ? [] : httpRoutes(rule, { view, port: port.number });
  return {
    name: `${host}:${port.number}`,
    domains:
      domains === "all"
        ? ["*"]
        : [...namesOf(host, domains === "own"), ...addresses.filter(isAddress).map(asDomain)],
    includeRequestAttemptCount: true,
    // A rule without a word on such requests leaves them as they are.
    routes:
      routes.length === 0
        ? [
            {
              name: "default",
              match: { prefix: "/" },
              route: defaultAction(outboundCluster(host, port.number), view, { service, port }),
              decorator: { operation: `${host}:${port.number}/*` },
            },
          ]
        : [...routes],
  };
}

/** Hosts of rules that are no services: they are called at the ports of the rule's services, or at 80. */
function hostsWithoutService(
  name: string,
  routed: readonly RoutedService[],
  virtualServices: readonly VirtualService[],
  view: ProxyView,
): readonly NamedHost[] {
  const number = Number(name);
  if (!Number.isInteger(number)) return [];
  const known = new Set(routed.map(({ service }) => service.host.toLowerCase()));
  return virtualServices.flatMap((rule): readonly NamedHost[] => {
    // Routes of the Gateway API are for services: of one that is not seen nothing is said.
    if (rule.spec.http === undefined || rule.gatewayApi !== undefined) return [];
    const services = rule.spec.hosts.flatMap((host) => view.serviceOf(host) ?? []);
    const wildcards = rule.spec.hosts.filter((host) => host.startsWith("*"));
    const isCalledHere =
      (services.length === 0 && number === 80) ||
      services.some(({ host }) => known.has(host.toLowerCase())) ||
      wildcards.some((pattern) => routed.some(({ service }) => isHostNamed(service.host, pattern)));
    if (!isCalledHere) return [];
    return rule.spec.hosts
      .filter((host) => view.serviceOf(host) === undefined && host !== "*")
      .flatMap((host): readonly NamedHost[] => {
        const routes = httpRoutes(rule, { view, port: number });
        if (routes.length === 0) return [];
        return [
          {
            name: `${host}:${number}`,
            domains: [...callableNames(host, view.proxy.namespace)],
            includeRequestAttemptCount: true,
            routes: [...routes],
          },
        ];
      });
  });
}

/** In a host header an IPv6 address stands in brackets. */
function asDomain(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

function fallbackHost(fallback: Fallback): VirtualHostJson {
  return fallback === "passthrough"
    ? {
        name: "allow_any",
        domains: ["*"],
        includeRequestAttemptCount: true,
        routes: [
          {
            name: "allow_any",
            match: { prefix: "/" },
            // Nothing is known of who answers: nothing is repeated.
            route: { cluster: "PassthroughCluster", timeout: "0s", maxGrpcTimeout: "0s" },
          },
        ],
      }
    : {
        name: "block_all",
        domains: ["*"],
        includeRequestAttemptCount: true,
        routes: [{ name: "block_all", match: { prefix: "/" }, directResponse: { status: 502 } }],
      };
}
