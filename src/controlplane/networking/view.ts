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
  const services = [...new Map(scopes.flatMap((scope) => scope.services.map(entryOf))).values()];
  const byHost = new Map<string, Service>();
  for (const service of services) if (!byHost.has(service.host)) byHost.set(service.host, service);
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

/** By host and ports: what several listeners show is one service. */
function entryOf(service: Service): readonly [string, Service] {
  return [`${service.host.toLowerCase()} ${service.ports.map(({ number }) => number).join()}`, service];
}
