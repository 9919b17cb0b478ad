/**
 * The mesh as one proxy sees it: what its resources of every type are made of.
 */
import type { SidecarSpec } from "../config/objects.ts";
import type { Model, Service } from "../model/model.ts";
import { type Proxy, sidecarOf } from "../model/proxy.ts";
import { type AppliedRule, ruleFinder } from "./destination-rules.ts";
import { type EgressScope, egressScopes } from "./visibility.ts";

/** What generators read. */
export interface ProxyView {
  readonly model: Model;
  readonly proxy: Proxy;
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
}

/** See the model as the proxy does. */
export function viewOf(model: Model, proxy: Proxy): ProxyView {
  const sidecar = sidecarOf(model, proxy);
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
    ruleOf: ruleFinder(model, proxy),
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
