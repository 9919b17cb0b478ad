/**
 * The mesh as one proxy sees it: what its resources of every type are made of.
 */
import type { SidecarSpec } from "../config/objects.ts";
import { type Caller, callerOf } from "../model/caller.ts";
import type { Model, Service } from "../model/model.ts";
import { type Proxy, sidecarOf } from "../model/proxy.ts";
import { type AppliedRule, ruleFinder } from "./destination-rules.ts";
import { TranslationMemo } from "./translation-memo.ts";
import { type EgressScope, egressScopes } from "./visibility.ts";

/** What is read for a proxy that calls: the same for all that call alike. */
export interface ProxyView {
  readonly model: Model;
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
    workload: workloadViewOf(model, proxy, servedByAddress(model)(proxy)),
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
    model,
    proxy,
    sidecar,
    scopes,
    services,
    serviceOf: (host) => byHost.get(host),
    ruleOf: ruleFinder(model, proxy, memo),
    memo,
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

/** Finds the services of a proxy's workload. What another namespace says of it decides nothing about what it accepts. */
export function servedByAddress({ services }: Model): (proxy: Proxy) => readonly Service[] {
  const order = new Map(services.map((service, index) => [service, index]));
  const byAddress = new Map<string, Set<Service>>();
  for (const service of services) {
    for (const { address } of service.endpoints) {
      const there = byAddress.get(address);
      if (there === undefined) byAddress.set(address, new Set([service]));
      else there.add(service);
    }
  }
  return ({ namespace, addresses }) => {
    const found = new Set(addresses.flatMap((address) => [...(byAddress.get(address) ?? [])]));
    return [...found]
      .filter((service) => service.namespace === namespace)
      .toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  };
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
