/**
 * Which VirtualService counts for a host, and which of its matches are for this proxy.
 */
import type { Destination, VirtualServiceSpec } from "../config/objects.ts";
import { type Scoped, selects } from "../model/model.ts";
import type { Caller } from "../model/caller.ts";
import { isHostNamed } from "../config/host-names.ts";
import { outboundCluster } from "./names.ts";
import type { Lookups } from "./read-memo.ts";

/** A VirtualService where it was written. */
export type VirtualService = Scoped<VirtualServiceSpec>;

/** Finds the rule that names a host most closely; of two that do so alike the older one. */
export function virtualServiceFinder(
  rules: readonly VirtualService[],
): (host: string) => VirtualService | undefined {
  const byHost = new Map<string, VirtualService>();
  for (const rule of rules) {
    for (const host of rule.spec.hosts.map((name) => name.toLowerCase()))
      if (!byHost.has(host)) byHost.set(host, rule);
  }
  const wildcards = [...byHost.keys()]
    .filter((host) => host.startsWith("*"))
    .toSorted((a, b) => b.length - a.length);
  return (host) => {
    const name = host.toLowerCase();
    const wildcard = wildcards.find((pattern) => isHostNamed(name, pattern));
    return byHost.get(name) ?? (wildcard === undefined ? undefined : byHost.get(wildcard));
  };
}

/** What a match asks of the caller, and of the port that it calls. */
export interface CallerMatch {
  readonly port?: number | undefined;
  readonly sourceLabels?: Readonly<Record<string, string>> | undefined;
  readonly sourceNamespace?: string | undefined;
  readonly gateways?: readonly string[] | undefined;
}

/** What matches ask of a caller. */
export type MatchedCaller = Pick<Caller, "namespace" | "labels">;

/** True for a rule that is not the same for all callers of its routes. */
export function asksForCaller({ spec: { http = [] } }: VirtualService): boolean {
  return http.some(({ match = [] }) =>
    match.some(
      ({ sourceLabels, sourceNamespace }) => sourceLabels !== undefined || sourceNamespace !== undefined,
    ),
  );
}

/** True for a match that may fit a call of this proxy to this port. */
export function isForCaller(match: CallerMatch, proxy: MatchedCaller, port: number): boolean {
  const { gateways = [] } = match;
  return (
    (match.port === undefined || match.port === port) &&
    selects(match.sourceLabels ?? {}, proxy.labels) &&
    (match.sourceNamespace === undefined || match.sourceNamespace === proxy.namespace) &&
    (gateways.length === 0 || gateways.includes("mesh"))
  );
}

/** True for a match that may fit what comes in at this port of a Gateway's. */
export function isForGateway(
  match: CallerMatch,
  gateway: string,
  port: number,
  proxy?: MatchedCaller,
): boolean {
  const { gateways = [] } = match;
  if (match.port !== undefined && match.port !== port) return false;
  if (gateways.length > 0) return gateways.includes(gateway);
  // Of requests the gateway is the source.
  return (
    proxy === undefined ||
    (selects(match.sourceLabels ?? {}, proxy.labels) &&
      (match.sourceNamespace === undefined || match.sourceNamespace === proxy.namespace))
  );
}

/** The cluster of a destination: at the port that is said, else the host's only one, else the one that was called. */
export function clusterOf(
  { host, subset, port }: Destination,
  { serviceOf }: Pick<Lookups, "serviceOf">,
  called: number,
): string {
  const service = serviceOf(host);
  const [only, ...others] = service?.ports ?? [];
  const number = port?.number ?? (only !== undefined && others.length === 0 ? only.number : called);
  // As its cluster has it, in capitals or not.
  return outboundCluster(service?.host ?? host, number, subset);
}
