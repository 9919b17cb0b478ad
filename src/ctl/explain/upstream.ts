/**
 * How a client's Envoy calls a cluster: its endpoints, and what it says to each of them. Pure.
 */
import { at, listAt, textAt } from "../../lifecycle/json-path.ts";
import type { ConfigDump } from "../proxy/config-dump.ts";

/** An endpoint that takes requests. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** Its part of the requests to the cluster, from 0 to 1. */
  readonly share: number;
  readonly metadata: unknown;
}

/** TLS as a cluster has it for an endpoint. */
export interface UpstreamTls {
  readonly serverName: string | undefined;
  readonly applications: readonly string[];
  /** Identities of which the server must have one; none asks for nothing. */
  readonly identities: readonly unknown[];
  /** It shows the workload's certificate. */
  readonly showsIdentity: boolean;
}

const healthy: ReadonlySet<string> = new Set(["HEALTHY", "UNKNOWN", "DEGRADED"]);

/** Of the best priority that has any; a share by the weights of localities and endpoints. */
export function endpointsOf(dump: ConfigDump, cluster: unknown): readonly Endpoint[] {
  const service = textAt(cluster, "eds_cluster_config", "service_name") ?? textAt(cluster, "name") ?? "";
  const assignment =
    dump.endpoint.find(({ name }) => name === service)?.json ?? at(cluster, "load_assignment");
  const groups = listAt(assignment, "endpoints").map((group) => ({
    priority: Number(at(group, "priority") ?? 0),
    hosts: listAt(group, "lb_endpoints").filter((host) =>
      healthy.has(textAt(host, "health_status") ?? "HEALTHY"),
    ),
  }));
  const best = Math.min(...groups.filter(({ hosts }) => hosts.length > 0).map(({ priority }) => priority));
  const hosts = groups.filter(({ priority }) => priority === best).flatMap((group) => group.hosts);
  const weight = (host: unknown): number => Number(at(host, "load_balancing_weight") ?? 1);
  const total = hosts.reduce<number>((sum, host) => sum + weight(host), 0);
  return hosts.map((host) => ({
    address: textAt(host, "endpoint", "address", "socket_address", "address") ?? "",
    port: Number(at(host, "endpoint", "address", "socket_address", "port_value") ?? 0),
    share: weight(host) / total,
    metadata: at(host, "metadata"),
  }));
}

/** Undefined for plain text. */
export function upstreamTlsOf(
  cluster: unknown,
  { metadata }: Pick<Endpoint, "metadata">,
): UpstreamTls | undefined {
  const wanted = at(metadata, "filter_metadata", "envoy.transport_socket_match") ?? {};
  const match = listAt(cluster, "transport_socket_matches").find((each) =>
    Object.entries(at(each, "match") ?? {}).every(([name, value]) => at(wanted, name) === value),
  );
  const socket = at(match, "transport_socket") ?? at(cluster, "transport_socket");
  const config = at(socket, "typed_config");
  if (socket === undefined || !(textAt(socket, "name") ?? "").endsWith(".tls")) return undefined;
  const common = at(config, "common_tls_context");
  const validation =
    at(common, "combined_validation_context", "default_validation_context") ??
    at(common, "validation_context");
  return {
    serverName: textAt(config, "sni"),
    applications: listAt(common, "alpn_protocols").map(String),
    identities: listAt(validation, "match_typed_subject_alt_names").map((name) => at(name, "matcher")),
    showsIdentity: listAt(common, "tls_certificate_sds_secret_configs").some(
      (secret) => textAt(secret, "name") === "default",
    ),
  };
}
