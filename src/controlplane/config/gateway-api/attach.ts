/**
 * To which listeners and services a route is attached, or why to none.
 */
import { isHostNamed } from "../host-names.ts";
import type { ConfigObject, ParentRef } from "../objects.ts";
import type { Fault } from "./conditions.ts";
import { isTakenByOther, type Listener, type RouteKind, sharedHost } from "./listeners.ts";
import { gatewayApiGroup } from "../rules/selection.ts";
import { hostKey, type MeshFacts } from "./mesh-facts.ts";

/** A route of any kind of the Gateway API. */
export type Route = Extract<ConfigObject, { kind: RouteKind }>;

/** A listener that takes a route, with the hosts for which both are. */
export interface ListenerAttachment {
  readonly listener: Listener;
  readonly hosts: readonly AttachedHost[];
}

/** A host, and how closely the route itself names it. */
export interface AttachedHost {
  readonly host: string;
  /** As the route has it: `*` where it names none. */
  readonly written: string;
}

/** A route for calls to a service of the mesh (GAMMA). */
export interface ServiceAttachment {
  readonly hosts: readonly string[];
  /** The service's namespace. */
  readonly producer: string;
  /** Every port of it where undefined. */
  readonly port: number | undefined;
}

/** What a parent makes of a route. */
export type Attached =
  | { readonly kind: "listeners"; readonly ref: ParentRef; readonly at: readonly ListenerAttachment[] }
  | { readonly kind: "service"; readonly ref: ParentRef; readonly at: ServiceAttachment }
  | { readonly kind: "refused"; readonly ref: ParentRef; readonly fault: Fault }
  /** It names a Gateway that is not there, or is refused. */
  | { readonly kind: "unknown"; readonly ref: ParentRef; readonly fault: Fault }
  /** Somebody else's. */
  | { readonly kind: "foreign"; readonly ref: ParentRef };

/** What routes may be attached to. */
export interface Parents {
  readonly facts: MeshFacts;
  /** Of the Gateways of this control plane, by `namespace/name`. */
  readonly listeners: ReadonlyMap<string, readonly Listener[]>;
  /** Gateways of other controllers. */
  readonly foreign: ReadonlySet<string>;
}

/** By the order of its `parentRefs`. */
export function attachedTo(route: Route, parents: Parents): readonly Attached[] {
  return (route.spec.parentRefs ?? []).map((ref, index): Attached => {
    const { group = gatewayApiGroup, kind = "Gateway" } = ref;
    const path = `spec.parentRefs[${index}]`;
    const refuse = (reason: string, message: string): Attached => ({
      kind: "refused",
      ref,
      fault: { path, type: "Accepted", reason, message },
    });
    if (group === gatewayApiGroup && kind === "Gateway") {
      const id = `${ref.namespace ?? route.namespace}/${ref.name}`;
      if (parents.foreign.has(id)) return { kind: "foreign", ref };
      if (parents.listeners.has(id)) return toGateway(route, ref, parents, refuse);
      const message = parents.facts.whyMissing("KubernetesGateway", id, `${id} is no Gateway`);
      return { kind: "unknown", ref, fault: { path, type: "Accepted", reason: "NoMatchingParent", message } };
    }
    if (isServiceRef(group, kind)) return toService(route, ref, parents.facts, refuse);
    return { kind: "foreign", ref };
  });
}

type Refuse = (reason: string, message: string) => Attached;

/** True for a parent, or a backend, that is a service of the mesh by its own name or by that of a ServiceEntry. */
function isServiceRef(group: string, kind: string): boolean {
  return (group === "" && kind === "Service") || (group === "networking.istio.io" && kind === "ServiceEntry");
}

function toGateway(route: Route, ref: ParentRef, parents: Parents, refuse: Refuse): Attached {
  const id = `${ref.namespace ?? route.namespace}/${ref.name}`;
  const all = parents.listeners.get(id) ?? [];
  const named = all.filter(
    ({ spec }) =>
      (ref.sectionName === undefined || ref.sectionName === spec.name) &&
      (ref.port === undefined || ref.port === spec.port),
  );
  if (named.length === 0) {
    const name = ref.sectionName === undefined ? "" : ` ${ref.sectionName}`;
    const port = ref.port === undefined ? "" : ` at port ${ref.port}`;
    return refuse("NoMatchingParent", `Gateway ${id} has no listener${name}${port}`);
  }
  const ofKind = named.filter(({ kinds }) => kinds.includes(route.kind));
  if (ofKind.length === 0)
    return refuse("NotAllowedByListeners", `no listener of Gateway ${id} takes a ${route.kind}`);
  const allowed = ofKind.filter(({ namespaces }) => namespaces?.has(route.namespace) !== false);
  if (allowed.length === 0) {
    const message = `no listener of Gateway ${id} takes routes of the namespace ${route.namespace}: see its allowedRoutes`;
    return refuse("NotAllowedByListeners", message);
  }
  const at = allowed
    .map((listener): ListenerAttachment => ({ listener, hosts: attachedHosts(route, listener, all) }))
    .filter(({ hosts }) => hosts.length > 0);
  if (at.length === 0) {
    const message = `none of its hostnames is one of a listener of Gateway ${id}`;
    return refuse("NoMatchingListenerHostname", message);
  }
  return { kind: "listeners", ref, at };
}

/** Hosts that a route names; every one where it names none. */
export function hostnamesOf(route: Route): readonly string[] {
  const names = route.kind === "TCPRoute" ? [] : (route.spec.hostnames ?? []);
  return names.length === 0 ? ["*"] : names;
}

function attachedHosts(route: Route, listener: Listener, all: readonly Listener[]): readonly AttachedHost[] {
  const found = new Map<string, AttachedHost>();
  for (const written of hostnamesOf(route)) {
    const host = sharedHost(written, listener.spec.hostname ?? "*");
    if (host === undefined || isTakenByOther(host, listener, all)) continue;
    const before = found.get(host);
    if (before === undefined || isHostNamed(written, before.written)) found.set(host, { host, written });
  }
  return [...found.values()];
}

function toService(route: Route, ref: ParentRef, facts: MeshFacts, refuse: Refuse): Attached {
  const { namespace = route.namespace, name, port } = ref;
  const isEntry = ref.kind === "ServiceEntry";
  const hosts = isEntry
    ? (facts.entries.get(`${namespace}/${name}`) ?? [])
    : [hostKey(`${name}.${namespace}.svc.cluster.local`)];
  const known = hosts.filter((host) => facts.ports.has(host));
  if (known.length === 0) {
    const id = `${namespace}/${name}`;
    const what = isEntry
      ? facts.whyMissing("ServiceEntry", id, `${id} is no ServiceEntry`)
      : `${hosts[0]} is no service`;
    return refuse("NoMatchingParent", what);
  }
  const withPort = known.filter((host) => port === undefined || facts.ports.get(host)?.has(port) === true);
  if (withPort.length === 0) return refuse("NoMatchingParent", `${known[0]} has no port ${port}`);
  return { kind: "service", ref, at: { hosts: withPort, producer: namespace, port } };
}
