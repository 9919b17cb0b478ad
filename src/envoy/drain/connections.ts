/**
 * Who holds up a drain: open connections per listener, from Envoy's statistics.
 */
import { at, textAt } from "../../lifecycle/json-path.ts";
import type { Stats } from "../admin/admin.ts";

/** Open connections by listener, as statistics name it (`0.0.0.0_15006`, or the listener's `stat_prefix`). */
export type Connections = ReadonlyMap<string, number>;

/** Which listeners do not count. */
export interface UncountedListeners {
  /** Ports of the agent's own listeners: the kubelet and Prometheus never stop connecting. */
  readonly ownPorts: readonly number[];
  /** Statistics' names of the outbound listeners, which an inbound-only drain leaves alone. */
  readonly outbound: ReadonlySet<string>;
}

/** RE2 expression of the statistics that `workloadConnections` reads. */
export const connectionStats = "^listener\\..*\\.downstream_cx_active$";

const ownListeners = new Set(["admin", "agent_readiness", "prometheus_stats"]);

/**
 * Connections of the workload's listeners, those without any left out.
 *
 * Undefined when Envoy does not keep these statistics: the admin connection that asked would be among them.
 */
export function workloadConnections(stats: Stats, uncounted: UncountedListeners): Connections | undefined {
  if (!stats.has("listener.admin.downstream_cx_active")) return undefined;
  const connections = new Map<string, number>();
  for (const [name, value] of stats) {
    const listener = /^listener\.(.+)\.downstream_cx_active$/.exec(name)?.[1];
    if (listener !== undefined && value > 0 && counts(listener, uncounted)) connections.set(listener, value);
  }
  return connections;
}

function counts(listener: string, { ownPorts, outbound }: UncountedListeners): boolean {
  // A thread's share is counted in the listener's sum already.
  if (/\.(?:worker_\d+|main_thread)$/.test(listener)) return false;
  if (ownListeners.has(listener) || listener.startsWith("envoy_internal_")) return false;
  const port = Number(/_(\d+)$/.exec(listener)?.[1]);
  return !ownPorts.includes(port) && !outbound.has(listener);
}

/** All of them. */
export function totalConnections(connections: Connections): number {
  return connections.values().reduce((sum, count) => sum + count, 0);
}

/** Listeners that one log line names. */
const namedListeners = 5;

/** "0.0.0.0_15006: 10, 127.0.0.1_8080: 2 and 3 more listeners", the busiest first. */
export function describeConnections(connections: Connections): string {
  const busiest = [...connections].toSorted(([, a], [, b]) => b - a);
  const named = busiest.slice(0, namedListeners).map(([listener, count]) => `${listener}: ${count}`);
  const more = busiest.length - named.length;
  return `${named.join(", ")}${more === 0 ? "" : ` and ${more} more listener${more === 1 ? "" : "s"}`}`;
}

/**
 * Statistics' names of the outbound listeners among the `dynamic_listeners` of a configuration dump.
 *
 * A name that a listener of another direction shares is left out: what is not known to be outbound counts.
 */
export function outboundListeners(dynamicListeners: readonly unknown[]): ReadonlySet<string> {
  const outbound = new Set<string>();
  const others = new Set<string>();
  for (const entry of dynamicListeners) {
    const listener = at(entry, "active_state", "listener");
    const name = statisticsName(listener);
    if (name === undefined) continue;
    (at(listener, "traffic_direction") === "OUTBOUND" ? outbound : others).add(name);
  }
  return outbound.difference(others);
}

function statisticsName(listener: unknown): string | undefined {
  const prefix = textAt(listener, "stat_prefix");
  const socket = at(listener, "address", "socket_address");
  const [host, port] = [textAt(socket, "address"), at(socket, "port_value")];
  if (prefix !== undefined && prefix !== "") return prefix.replaceAll(":", "_");
  if (host === undefined || typeof port !== "number") return undefined;
  return `${host.includes(":") ? `[${host}]` : host}:${port}`.replaceAll(":", "_");
}
