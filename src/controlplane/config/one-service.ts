/**
 * When ServiceEntries of one host are one service, with the endpoints of all: what several registries, or several objects, have of
 * it (as in Istio, whose endpoints are kept by host and namespace). Pure.
 */
import type { PortSpec, ServiceEntrySpec } from "./objects.ts";

/** A ServiceEntry, as far as it decides. */
export interface ServiceOfHost {
  readonly namespace: string;
  readonly spec: ServiceEntrySpec;
}

/** True where both have some port: they are one service, or the older one's counts. */
export function havePortInCommon(older: ServiceEntrySpec, younger: ServiceEntrySpec): boolean {
  const numbers = new Set(older.ports.map(({ number }) => number));
  return younger.ports.some(({ number }) => numbers.has(number));
}

/**
 * What keeps two that have a host and a port in common from being one service, as the end of a sentence; undefined where
 * nothing does.
 */
export function whyApart(older: ServiceOfHost, younger: ServiceOfHost): string | undefined {
  if (older.namespace !== younger.namespace) return "it is in another namespace";
  const [a, b] = [older.spec, younger.spec];
  if (portsOf(a) !== portsOf(b)) return "its ports and their protocols are not the same";
  if ((a.location ?? "MESH_EXTERNAL") !== (b.location ?? "MESH_EXTERNAL"))
    return "its location is not the same";
  if ((a.resolution ?? "NONE") !== (b.resolution ?? "NONE")) return "its resolution is not the same";
  // Without endpoints a name is looked up instead.
  if (!hasEndpoints(a) || !hasEndpoints(b)) return "one of them has no endpoints that could be joined";
  if (setOf(a.exportTo) !== setOf(b.exportTo)) return "its exportTo is not the same";
  if (setOf(a.subjectAltNames) !== setOf(b.subjectAltNames)) return "its subjectAltNames are not the same";
  return undefined;
}

function hasEndpoints({ resolution = "NONE", endpoints = [], workloadSelector }: ServiceEntrySpec): boolean {
  if (resolution === "STATIC") return true;
  return resolution !== "NONE" && (endpoints.length > 0 || workloadSelector !== undefined);
}

function portsOf({ ports }: ServiceEntrySpec): string {
  return setOf(ports.map(({ number, protocol }: PortSpec) => `${number} ${protocol ?? ""}`));
}

function setOf(words: readonly string[] = []): string {
  return JSON.stringify([...new Set(words)].toSorted());
}
