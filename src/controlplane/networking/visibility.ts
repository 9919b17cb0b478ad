/**
 * Which services and rules a proxy sees: by their `exportTo`, and by its Sidecar's egress hosts.
 */
import type { EgressListener, SidecarSpec, VirtualServiceSpec } from "../config/objects.ts";
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
  model: Model,
  proxy: Caller,
  sidecar: SidecarSpec | undefined,
): readonly EgressScope[] {
  const { namespace } = proxy;
  const services = model.services.filter((service) =>
    isExportedTo(service.exportTo, service.namespace, namespace),
  );
  const virtualServices = rulesForCallsOf(model, namespace);
  if (sidecar?.egress === undefined)
    return [{ listener: undefined, services: withoutRivals(services), virtualServices }];
  return sidecar.egress.map((listener) => {
    const rules = virtualServices.filter((rule) =>
      rule.spec.hosts.some((host) => isSeen({ host, namespace: rule.namespace }, listener.hosts, namespace)),
    );
    // What a rule leads to is seen with it.
    const targets = new Set(rules.flatMap(({ spec }) => destinationsOf(spec)));
    const seen = services.filter(
      (service) => isSeen(service, listener.hosts, namespace) || targets.has(service.host),
    );
    return { listener, services: withoutRivals(seen), virtualServices: rules };
  });
}

/**
 * Rules for the mesh. Of the Gateway API's those of the callers' own namespace come before all others, and of other
 * namespaces' only the service's own count.
 */
function rulesForCallsOf(model: Model, namespace: string): EgressScope["virtualServices"] {
  const rules = model.virtualServices.filter(
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
    (sidecar?.egress === undefined || sidecar.egress.some(({ hosts }) => isSeen(service, hosts, namespace)))
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

/** True for what one of the `namespace/host` patterns names. */
function isSeen(
  { host, namespace }: Pick<Service, "host" | "namespace">,
  patterns: readonly string[],
  ownNamespace: string,
): boolean {
  return patterns.some((pattern) => {
    const [where = "", name = ""] = pattern.split("/");
    const wanted = where === "." ? ownNamespace : where;
    return (wanted === "*" || wanted === namespace) && isHostNamed(host, name);
  });
}
