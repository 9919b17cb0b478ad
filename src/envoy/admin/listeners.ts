/**
 * What a swap has to know of an Envoy's listeners, read from its admin interface
 * (`/config_dump`, Envoy's ListenersConfigDump).
 */

import { at, listAt, textAt } from "../../lifecycle/json-path.ts";

/** A filter chain that ends TLS and that a connection to the listener's own address reaches. */
export interface TlsChain {
  /** A name for SNI; undefined when any will do. */
  readonly serverName: string | undefined;
  /** ALPN that the chain asks for; empty when any will do. */
  readonly protocols: readonly string[];
}

/** One active listener. */
export interface ListenerFacts {
  readonly name: string;
  /** Where it is bound; undefined for a pipe and for a listener that is not bound. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
  /** Why a second Envoy cannot be bound beside it; undefined when it can. */
  readonly exclusive: string | undefined;
  readonly tls: readonly TlsChain[];
}

/** The facts of every listener in `configs`, elements of `static_listeners` or `dynamic_listeners`. */
export function readListeners(configs: readonly unknown[]): readonly ListenerFacts[] {
  return configs.flatMap((config) => {
    const listener = at(config, "listener") ?? at(config, "active_state", "listener");
    return listener === undefined ? [] : [readListener(listener)];
  });
}

function readListener(listener: unknown): ListenerFacts {
  const socket = at(listener, "address", "socket_address");
  const port = at(socket, "port_value");
  const isBound = at(listener, "bind_to_port") !== false && at(listener, "api_listener") === undefined;
  return {
    name: textAt(listener, "name") ?? "unnamed",
    address:
      typeof port === "number" && isBound ? { host: textAt(socket, "address") ?? "", port } : undefined,
    exclusive: isBound ? exclusiveness(listener, socket) : undefined,
    tls: speaksProxyProtocol(listener)
      ? []
      : reachableByPort(listAt(listener, "filter_chains"), port).flatMap(readTlsChain),
  };
}

function exclusiveness(listener: unknown, socket: unknown): string | undefined {
  if (at(listener, "enable_reuse_port") === false || at(listener, "reuse_port") === false) {
    return "has enable_reuse_port off";
  }
  if (at(listener, "address", "pipe") !== undefined) return "is a Unix socket";
  if (at(socket, "protocol") === "UDP") return "is UDP, whose connections a second socket would split";
  return undefined;
}

/** A connection without PROXY protocol's header would be refused before TLS. */
function speaksProxyProtocol(listener: unknown): boolean {
  return listAt(listener, "listener_filters").some((filter) =>
    (textAt(filter, "typed_config", "@type") ?? "").endsWith(".ProxyProtocol"),
  );
}

/**
 * Chains that a connection to the listener's own port can reach. The destination port is the first that Envoy matches by,
 * and it does not come back to chains without one: where chains name the port, all others are out. So a sidecar's inbound
 * listener takes no connection that was not redirected to it.
 */
function reachableByPort(chains: readonly unknown[], boundPort: unknown): readonly unknown[] {
  const destination = (chain: unknown): unknown => at(chain, "filter_chain_match", "destination_port");
  const named = chains.filter((chain) => boundPort !== undefined && destination(chain) === boundPort);
  return named.length > 0 ? named : chains.filter((chain) => destination(chain) === undefined);
}

function readTlsChain(chain: unknown): readonly TlsChain[] {
  const type = textAt(chain, "transport_socket", "typed_config", "@type") ?? "";
  const match = at(chain, "filter_chain_match");
  const isReachable = [
    "prefix_ranges",
    "source_prefix_ranges",
    "direct_source_prefix_ranges",
    "source_ports",
    "source_type",
  ].every((condition) => at(match, condition) === undefined);
  if (!type.endsWith(".DownstreamTlsContext") || !isReachable) return [];
  const names = listAt(match, "server_names").filter((name) => typeof name === "string");
  const serverName = names.find((name) => !name.startsWith("*"));
  if (names.length > 0 && serverName === undefined) return [];
  return [
    {
      serverName,
      protocols: listAt(match, "application_protocols").filter((name) => typeof name === "string"),
    },
  ];
}
