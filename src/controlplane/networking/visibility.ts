/**
 * Which services and rules a proxy sees: by their `exportTo`, and by its Sidecar's egress hosts.
 */
import type { EgressListener, SidecarSpec, VirtualServiceSpec } from "../config/objects.ts";
import { byNamespace, type NamespaceIndex, servicesOf } from "../model/by-namespace.ts";
import { isExportedTo, type Model, type Scoped, type Service } from "../model/model.ts";
import type { Caller } from "../model/caller.ts";
import { isHostNamed, meshGateway } from "../config/host-names.ts";

/** What one egress listener of a Sidecar shows, or everything that there is. */
export interface EgressScope {
  /** Undefined without a Sidecar, or for one that does not limit what is called. */
  readonly listener: EgressListener | undefined;
  readonly services: readonly Service[];
  readonly virtualServices: readonly Scoped<VirtualServiceSpec>[];
}

/** The scopes of a proxy, at least one of which is for all ports where there is no Sidecar. */
export function egressScopes(
  model: Pick<Model, "services" | "virtualServices">,
  { namespace }: Pick<Caller, "namespace">,
  sidecar: SidecarSpec | undefined,
): readonly EgressScope[] {
  const isExported = (service: Service): boolean =>
    isExportedTo(service.exportTo, service.namespace, namespace);
  if (sidecar?.egress === undefined) {
    const services = model.services.filter(isExported);
    const virtualServices = rulesForCallsOf(model.virtualServices, namespace);
    return [{ listener: undefined, services: withoutRivals(services), virtualServices }];
  }
  const services = servicesOf(model.services);
  const rules = byNamespace(model.virtualServices);
  return sidecar.egress.map((listener) => {
    const patterns = patternsOf(listener.hosts, namespace);
    const near = rules.at(placesNamed(rules, patterns));
    const virtualServices = rulesForCallsOf(near, namespace).filter((rule) =>
      rule.spec.hosts.some((host) => isNamed({ host, namespace: rule.namespace }, patterns)),
    );
    // What a rule leads to is seen with it.
    const targets = new Set(virtualServices.flatMap(({ spec }) => destinationsOf(spec)));
    const places = new Set(placesNamed(services, patterns));
    for (const host of targets) for (const place of services.placesOfHost(host)) places.add(place);
    const seen = services
      .at([...places].toSorted((first, second) => first - second))
      .filter((service) => isExported(service) && (targets.has(service.host) || isNamed(service, patterns)));
    return { listener, services: withoutRivals(seen), virtualServices };
  });
}

/**
 * Rules for the mesh. Of the Gateway API's those of the callers' own namespace come before all others, and of other
 * namespaces' only the service's own count.
 */
function rulesForCallsOf(
  all: EgressScope["virtualServices"],
  namespace: string,
): EgressScope["virtualServices"] {
  const rules = all.filter(
    ({ spec, namespace: owner, gatewayApi }) =>
      isForMesh(spec) &&
      isExportedTo(spec.exportTo, owner, namespace) &&
      (gatewayApi === undefined || owner === namespace || owner === gatewayApi.producer),
  );
  const isOwn = ({ namespace: owner, gatewayApi }: (typeof rules)[number]): boolean =>
    gatewayApi !== undefined && owner === namespace;
  return rules.some(isOwn)
    ? [...rules.filter((rule) => isOwn(rule)), ...rules.filter((rule) => !isOwn(rule))]
    : rules;
}

/** Whether a proxy of the namespace with this Sidecar knows a service. */
export function seesService(
  service: Pick<Service, "host" | "namespace" | "exportTo">,
  namespace: string,
  sidecar: SidecarSpec | undefined,
): boolean {
  return (
    isExportedTo(service.exportTo, service.namespace, namespace) &&
    (sidecar?.egress === undefined ||
      sidecar.egress.some(({ hosts }) => isNamed(service, patternsOf(hosts, namespace))))
  );
}

/** Whether the proxy may call what no service has. */
export function allowsAny(sidecar: SidecarSpec | undefined): boolean {
  return sidecar?.outboundTrafficPolicy?.mode !== "REGISTRY_ONLY";
}

/** A rule without gateways, or with `mesh` among them, is for sidecars. */
function isForMesh({ gateways = [] }: VirtualServiceSpec): boolean {
  return gateways.length === 0 || gateways.includes(meshGateway);
}

function destinationsOf({ http = [], tcp = [], tls = [] }: VirtualServiceSpec): readonly string[] {
  return [
    ...http.flatMap(({ route = [], mirror, mirrors = [] }) => [
      ...route.map(({ destination }) => destination.host),
      ...(mirror === undefined ? [] : [mirror.host]),
      ...mirrors.map(({ destination }) => destination.host),
    ]),
    ...[...tcp, ...tls].flatMap(({ route }) => route.map(({ destination }) => destination.host)),
  ];
}

/**
 * Of a host that several services have, the oldest decides in which namespace it is, and has its ports; others of that
 * namespace add those that it has not. Each host and port is there once.
 */
function withoutRivals(services: readonly Service[]): readonly Service[] {
  const owners = new Map<string, { readonly namespace: string; readonly ports: Set<number> }>();
  return services.flatMap((service): readonly Service[] => {
    const key = service.host.toLowerCase();
    const owner = owners.get(key);
    if (owner === undefined) {
      owners.set(key, {
        namespace: service.namespace,
        ports: new Set(service.ports.map(({ number }) => number)),
      });
      return [service];
    }
    const ports = service.ports.filter(({ number }) => !owner.ports.has(number));
    if (owner.namespace !== service.namespace || ports.length === 0) return [];
    for (const { number } of ports) owner.ports.add(number);
    return [{ ...service, ports }];
  });
}

/** One of a Sidecar's `namespace/host`. */
interface HostPattern {
  /** `*` for every one. */
  readonly namespace: string;
  readonly host: string;
}

function patternsOf(hosts: readonly string[], ownNamespace: string): readonly HostPattern[] {
  return hosts.map((pattern) => {
    const [where = "", host = ""] = pattern.split("/");
    return { namespace: where === "." ? ownNamespace : where, host };
  });
}

/** Where those are that may be named, ascending: of namespaces that no pattern has nothing is looked at. */
function placesNamed<Item extends { readonly namespace: string }>(
  index: NamespaceIndex<Item>,
  patterns: readonly HostPattern[],
): readonly number[] {
  const namespaces = new Set(patterns.map(({ namespace }) => namespace));
  if (namespaces.has("*")) return [...index.all.keys()];
  const places = [...namespaces].map((namespace) => index.placesOf(namespace));
  const [only = []] = places;
  return places.length === 1 ? only : places.flat().toSorted((first, second) => first - second);
}

/** True for what one of the patterns names. */
function isNamed(
  { host, namespace }: Pick<Service, "host" | "namespace">,
  patterns: readonly HostPattern[],
): boolean {
  return patterns.some(
    (wanted) =>
      (wanted.namespace === "*" || wanted.namespace === namespace) && isHostNamed(host, wanted.host),
  );
}
