/**
 * Hosts as rules name them become full names in small letters, as services have them: a short name means a service of
 * the rule's own namespace.
 */
import { fullName as fullNameAsWritten, gatewayName } from "../config/host-names.ts";
import type { Destination, DestinationRuleSpec, VirtualServiceSpec } from "../config/objects.ts";

/** The rule with the full name of its host. */
export function withFullHost(spec: DestinationRuleSpec, namespace: string): DestinationRuleSpec {
  return { ...spec, host: fullName(spec.host, namespace) };
}

/** The rule with full names only. */
export function withFullHosts(spec: VirtualServiceSpec, namespace: string): VirtualServiceSpec {
  const full = (destination: Destination): Destination => ({
    ...destination,
    host: fullName(destination.host, namespace),
  });
  const toFull = <Entry extends { readonly destination: Destination }>(entries: readonly Entry[]): Entry[] =>
    entries.map((entry) => ({ ...entry, destination: full(entry.destination) }));
  const { http, tcp, tls, gateways } = spec;
  const bound = <Match extends { readonly gateways?: readonly string[] | undefined }>(match: Match): Match =>
    match.gateways === undefined
      ? match
      : { ...match, gateways: match.gateways.map((name) => gatewayName(name, namespace)) };
  return {
    ...spec,
    hosts: spec.hosts.map((host) => fullName(host, namespace)),
    ...(gateways && { gateways: gateways.map((name) => gatewayName(name, namespace)) }),
    ...(http && {
      http: http.map((route) => ({
        ...route,
        ...(route.match && { match: route.match.map(bound) }),
        ...(route.route && { route: toFull(route.route) }),
        ...(route.mirror && { mirror: full(route.mirror) }),
        ...(route.mirrors && { mirrors: toFull(route.mirrors) }),
      })),
    }),
    ...(tcp && {
      tcp: tcp.map((route) => ({
        ...route,
        ...(route.match && { match: route.match.map(bound) }),
        route: toFull(route.route),
      })),
    }),
    ...(tls && {
      tls: tls.map((route) => ({ ...route, match: route.match.map(bound), route: toFull(route.route) })),
    }),
  };
}

function fullName(host: string, namespace: string): string {
  return fullNameAsWritten(host, namespace).toLowerCase();
}
