/**
 * Handshakes that an Envoy has refused, from its statistics (Envoy's documentation of the TLS statistics), and where an
 * upstream is whose certificate it refuses, from its configuration dump.
 */
import { listAt, textAt, at } from "../../lifecycle/json-path.ts";
import type { Stats } from "./admin.ts";

/** RE2 expression of the statistics that `tlsFailures` reads. */
export const tlsFailureStats: string =
  "^(cluster|listener)\\..+\\.ssl\\.(handshake|fail_verify_error|fail_verify_san|fail_verify_no_cert)$";

/** RE2 expression of those that only refused handshakes bring about: a question for what was used has few of them. */
export const refusedHandshakeStats: string =
  "(cluster|listener)\\..+\\.ssl\\.fail_verify_(error|san|no_cert)";

/** Whether there is any of them, among others. */
export function hasRefusedHandshakes(stats: Stats): boolean {
  return stats.keys().some((name) => refusedHandshake.test(name));
}

const refusedHandshake = new RegExp(`^${refusedHandshakeStats}$`);

/** One cluster or listener; counts since that Envoy started. */
export interface TlsCounts {
  readonly side: "cluster" | "listener";
  readonly name: string;
  readonly handshakes: number;
  /** No root vouches for the peer's certificate, or it is not valid now. */
  readonly unverified: number;
  /** The peer is somebody else. */
  readonly wrongName: number;
  /** A client showed none. */
  readonly missing: number;
}

/** Those in which anything was counted. */
export function tlsCounts(stats: Stats): readonly TlsCounts[] {
  const found = new Map<string, { -readonly [name in keyof TlsCounts]: TlsCounts[name] }>();
  for (const [stat, count] of stats) {
    const match = /^(cluster|listener)\.(.+)\.ssl\.(\w+)$/.exec(stat);
    if (match === null) continue;
    const [, side, given = "", what] = match;
    // Where the control plane marks the end of a name, that is no part of it.
    const name = given.replace(/;$/, "");
    const key = `${side} ${name}`;
    const counts = found.get(key) ?? {
      ...{ side: side === "cluster" ? "cluster" : "listener", name },
      ...{ handshakes: 0, unverified: 0, wrongName: 0, missing: 0 },
    };
    found.set(key, counts);
    if (what === "handshake") counts.handshakes = count;
    else if (what === "fail_verify_error") counts.unverified = count;
    else if (what === "fail_verify_san") counts.wrongName = count;
    else if (what === "fail_verify_no_cert") counts.missing = count;
  }
  return [...found.values()];
}

/** Where a certificate can be looked at. */
export interface UpstreamPlace {
  readonly host: string;
  readonly port: number;
  /** The server name that Envoy asks for; undefined asks for none. */
  readonly serverName: string | undefined;
}

/** Endpoints of a cluster that are given, at most. */
const maxPlaces = 3;

/**
 * Some endpoints of a cluster.
 *
 * @param cluster an element of `dynamic_active_clusters`
 * @param assignments elements of `dynamic_endpoint_configs`
 */
export function upstreamPlaces(cluster: unknown, assignments: readonly unknown[]): readonly UpstreamPlace[] {
  const serverName = serverNameOf(at(cluster, "cluster"));
  const loads = [
    at(cluster, "cluster", "load_assignment"),
    ...assignments.map((one) => at(one, "endpoint_config")),
  ];
  return loads
    .flatMap((load) => listAt(load, "endpoints"))
    .flatMap((locality) => listAt(locality, "lb_endpoints"))
    .flatMap((one): readonly UpstreamPlace[] => {
      const host = textAt(one, "endpoint", "address", "socket_address", "address");
      const port = at(one, "endpoint", "address", "socket_address", "port_value");
      return host === undefined || typeof port !== "number" ? [] : [{ host, port, serverName }];
    })
    .slice(0, maxPlaces);
}

function serverNameOf(cluster: unknown): string | undefined {
  const sockets = [
    at(cluster, "transport_socket"),
    ...listAt(cluster, "transport_socket_matches").map((match) => at(match, "transport_socket")),
  ];
  return sockets.map((socket) => textAt(socket, "typed_config", "sni")).find((sni) => sni !== undefined);
}
