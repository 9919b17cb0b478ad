/**
 * The mesh as one proxy sees it: what its resources of every type are made of.
 */
import type { DestinationRuleSpec, SidecarSpec } from "../config/objects.ts";
import type { Model, Service } from "../model/model.ts";
import { type Proxy, sidecarOf } from "../model/proxy.ts";
import { visibleServices } from "./visibility.ts";

/** What generators read. */
export interface ProxyView {
  readonly model: Model;
  readonly proxy: Proxy;
  /** The Sidecar that applies. */
  readonly sidecar: SidecarSpec | undefined;
  /** The services that the Sidecar shows. */
  readonly services: readonly Service[];
  /** The DestinationRule of a service. */
  readonly ruleOf: (service: Service) => DestinationRuleSpec | undefined;
}

/** See the model as the proxy does. */
export function viewOf(model: Model, proxy: Proxy): ProxyView {
  const sidecar = sidecarOf(model, proxy);
  const services = visibleServices(model, proxy, sidecar);
  const rules = new Map<string, DestinationRuleSpec>();
  // Of several rules for one host the first counts.
  for (const { spec } of model.destinationRules) if (!rules.has(spec.host)) rules.set(spec.host, spec);
  return { model, proxy, sidecar, services, ruleOf: ({ host }) => rules.get(host) };
}
