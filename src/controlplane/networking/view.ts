/**
 * The mesh as one proxy sees it: what its resources of every type are made of.
 */
import type { SidecarSpec } from "../config/objects.ts";
import { type Caller, callerOf } from "../model/caller.ts";
import type { Model, Service } from "../model/model.ts";
import { servicesOf } from "../model/by-namespace.ts";
import { type Proxy, sidecarOf } from "../model/proxy.ts";
import { type AppliedRule, ruleFinder } from "./destination-rules.ts";
import { TranslationMemo } from "./translation-memo.ts";
import { type EgressScope, egressScopes } from "./visibility.ts";

/** What decides about what a proxy is told of what it calls, besides the services and rules that it sees. */
export type CalledModel = Pick<
  Model,
  | "settings"
  | "peers"
  | "telemetries"
  | "meshConfig"
  | "providerServices"
  | "envoyFilters"
  | "trustBundle"
  | "extensions"
>;

/** What is read for routers besides that. */
export type RoutedModel = Pick<
  Model,
  | "gateways"
  | "virtualServices"
  | "secrets"
  | "workloads"
  | "gatewayPods"
  | "services"
  | "authorizationPolicies"
  | "requestAuthentications"
>;

/** What is read for a proxy that calls: the same for all that call alike, and as long as `inputsOf` are the same. */
export interface ProxyView {
  readonly model: CalledModel;
  /** Of a router. */
  readonly routed: RoutedModel | undefined;
  readonly proxy: Caller;
  /** The Sidecar that applies. */
  readonly sidecar: SidecarSpec | undefined;
  /** What each of the Sidecar's egress listeners shows. */
  readonly scopes: readonly EgressScope[];
  /** The services that any of them shows; each host and port once. */
  readonly services: readonly Service[];
  /** One of them by its host. */
  readonly serviceOf: (host: string) => Service | undefined;
  /** The DestinationRules of a service as one. */
  readonly ruleOf: (service: Service) => AppliedRule | undefined;
  readonly memo: TranslationMemo;
}

/** What decides about what a workload accepts, and what is told of it. */
export type WorkloadModel = Pick<
  Model,
  | "settings"
  | "peers"
  | "authorizationPolicies"
  | "requestAuthentications"
  | "telemetries"
  | "meshConfig"
  | "providerServices"
  | "isTraced"
  | "envoyFilters"
  | "extensions"
  | "secrets"
>;

/** What is read for a proxy whose workload is called: nothing else decides about that. */
export interface WorkloadView {
  readonly model: WorkloadModel;
  readonly proxy: Proxy;
  readonly sidecar: SidecarSpec | undefined;
  /** The services of its namespace that lead to one of its addresses. */
  readonly services: readonly Service[];
}

/** All that one proxy gets is made of. */
export interface WholeView extends ProxyView {
  readonly workload: WorkloadView;
}

/** See the model as the proxy does. */
export function viewOf(model: Model, proxy: Proxy): WholeView {
  return {
    ...callerViewOf(model, callerOf(proxy, model), new TranslationMemo()),
    workload: workloadViewOf(model, proxy, servedBy(model, proxy)),
  };
}

/** See the model as every proxy does that calls like this. */
export function callerViewOf(model: Model, proxy: Caller, memo: TranslationMemo): ProxyView {
  // A Sidecar is for sidecars.
  const sidecar = proxy.type === "router" ? undefined : sidecarOf(model, proxy);
  const scopes = egressScopes(model, proxy, sidecar);
  const services = withOwnPorts(scopes.flatMap((scope) => scope.services));
  const byHost = new Map<string, Service>();
  for (const service of services) {
    const there = byHost.get(service.host);
    // Several objects may have ports of one host.
    byHost.set(
      service.host,
      there === undefined ? service : { ...there, ports: [...there.ports, ...service.ports] },
    );
  }
  return {
    model: calledModelOf(model),
    routed: proxy.type === "router" ? routedModelOf(model) : undefined,
    proxy,
    sidecar,
    scopes,
    services,
    serviceOf: (host) => byHost.get(host),
    ruleOf: ruleFinder(model, proxy, memo),
    memo,
  };
}

/** Everything that a view shows, but for its proxy: views of one proxy with the same inputs give the same resources. */
export function inputsOf(view: ProxyView): readonly unknown[] {
  const { model, routed, sidecar, scopes, services, ruleOf } = view;
  return [
    ...Object.values(model),
    ...Object.values(routed ?? {}),
    sidecar,
    // How many there are of each, so that the end of one list is never the beginning of the next.
    scopes.length,
    ...scopes.flatMap((scope) => [
      scope.listener,
      scope.services.length,
      scope.virtualServices.length,
      ...scope.services,
      ...scope.virtualServices,
    ]),
    ...services.map((service) => ruleOf(service)),
  ];
}

function calledModelOf(model: Model): CalledModel {
  const { settings, peers, telemetries, meshConfig, providerServices } = model;
  const { envoyFilters, trustBundle, extensions } = model;
  return {
    ...{ settings, peers, telemetries, meshConfig, providerServices },
    ...{ envoyFilters, trustBundle, extensions },
  };
}

function routedModelOf(model: Model): RoutedModel {
  const { gateways, virtualServices, secrets, workloads, gatewayPods, services } = model;
  const { authorizationPolicies, requestAuthentications } = model;
  return {
    ...{ gateways, virtualServices, secrets, workloads, gatewayPods, services },
    ...{ authorizationPolicies, requestAuthentications },
  };
}

/** See the model as it decides about the proxy's own workload. */
export function workloadViewOf(model: Model, proxy: Proxy, services: WorkloadView["services"]): WorkloadView {
  const { settings, peers, authorizationPolicies, requestAuthentications } = model;
  const { telemetries, meshConfig, providerServices, isTraced, envoyFilters, extensions, secrets } = model;
  return {
    model: {
      ...{ settings, peers, authorizationPolicies, requestAuthentications },
      ...{ telemetries, meshConfig, providerServices, isTraced, envoyFilters, extensions, secrets },
    },
    proxy,
    sidecar: sidecarOf(model, proxy),
    services,
  };
}

/** The services of a proxy's workload. What another namespace says of it decides nothing about what it accepts. */
export function servedBy(
  { services }: Pick<Model, "services">,
  { namespace, addresses }: Proxy,
): readonly Service[] {
  return servicesOf(services).atAddresses(namespace, addresses);
}

/** What several listeners show is one service: each host and port is there once. */
function withOwnPorts(services: readonly Service[]): readonly Service[] {
  const taken = new Set<string>();
  return services.flatMap((service): readonly Service[] => {
    const ports = service.ports.filter(({ number }) => {
      const key = `${service.host.toLowerCase()}:${number}`;
      if (taken.has(key)) return false;
      taken.add(key);
      return true;
    });
    if (ports.length === 0) return [];
    return [ports.length === service.ports.length ? service : { ...service, ports }];
  });
}
