/**
 * Listeners: `ADDRESSES PORT MATCH DESTINATION`, a row for each filter chain.
 */
import { at, listAt, textAt } from "../../../lifecycle/json-path.ts";
import type { DumpedResource } from "../config-dump.ts";
import { clusterWords, inlineRouteWords } from "./route-words.ts";
import { byKeys, type Filters, type View } from "./view.ts";

const http = "envoy.filters.network.http_connection_manager";
const tcp = "envoy.filters.network.tcp_proxy";

/** Lists of application protocols that have a name of their own. */
const protocols: Readonly<Record<string, string>> = {
  "http/1.0,http/1.1,h2c": "App: HTTP",
  "istio,istio-http/1.0,istio-http/1.1,istio-h2": "App: Istio HTTP Plain",
  "http/1.0,http/1.1,h2c,istio-http/1.0,istio-http/1.1,istio-h2": "App: HTTP TLS",
  "istio-peer-exchange,istio": "App: TCP TLS",
};

/** By port, address and type. */
export const listenerView: View = {
  columns: ["ADDRESSES", "PORT", "MATCH", "DESTINATION"],
  padding: 1,
  select: (dump, filters) =>
    dump.listener
      .filter((listener) => isMeant(listener, filters))
      .toSorted(byKeys((listener) => [portOf(listener), addressesOf(listener).join(), typeOf(listener)])),
  rows: (listener) => {
    const where = [addressesOf(listener).join(","), String(portOf(listener))];
    const chains = chainsOf(listener)
      .map((chain) => [matchOf(chain), destinationOf(chain)] as const)
      .toSorted(([, a], [, b]) => (a === b ? 0 : a > b ? -1 : 1));
    return chains.map((chain) => [...where, ...chain]);
  },
};

/** Every address that it listens on. */
export function addressesOf({ json }: Pick<DumpedResource, "json">): readonly string[] {
  return [json, ...listAt(json, "additional_addresses")].flatMap(
    (holder) =>
      textAt(holder, "address", "socket_address", "address") ??
      textAt(holder, "address", "pipe", "path") ??
      [],
  );
}

/** Its port; 0 for a Unix socket. */
export function portOf({ json }: Pick<DumpedResource, "json">): number {
  return Number(at(json, "address", "socket_address", "port_value") ?? 0);
}

/** Its filter chains, the default one last. */
export function chainsOf({ json }: Pick<DumpedResource, "json">): readonly unknown[] {
  const last = at(json, "default_filter_chain");
  return [...listAt(json, "filter_chains"), ...(last === undefined ? [] : [last])];
}

function typeOf(listener: DumpedResource): string {
  const filters = chainsOf(listener).flatMap((chain) => listAt(chain, "filters"));
  const isHttp = filters.some((filter) => textAt(filter, "name") === http);
  const isTcp = filters.some(
    (filter) =>
      textAt(filter, "name") === tcp && textAt(filter, "typed_config", "cluster") !== "BlackHoleCluster",
  );
  return isHttp ? (isTcp ? "HTTP+TCP" : "HTTP") : isTcp ? "TCP" : "UNKNOWN";
}

function matchOf(chain: unknown): string {
  const match = at(chain, "filter_chain_match");
  const names = listAt(match, "server_names").join(",");
  const transport = textAt(match, "transport_protocol") ?? "";
  const applications = listAt(match, "application_protocols").join(",");
  const ranges = listAt(match, "prefix_ranges").map(
    (range) => `${textAt(range, "address_prefix") ?? ""}/${Number(at(range, "prefix_len") ?? 0)}`,
  );
  const port = at(match, "destination_port");
  const parts = [
    names === "" ? "" : `SNI: ${names}`,
    transport === "" ? "" : `Trans: ${transport}`,
    applications === "" ? "" : (protocols[applications] ?? `App: ${applications}`),
    ranges.length === 0 && port === undefined
      ? ""
      : `Addr: ${ranges.length === 0 ? "*" : ranges.join(",")}${port === undefined ? "" : `:${Number(port)}`}`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? "ALL" : parts.join("; ");
}

function destinationOf(chain: unknown): string {
  for (const filter of listAt(chain, "filters")) {
    const config = at(filter, "typed_config");
    if (textAt(filter, "name") === http) {
      const inline = at(config, "route_config");
      const name = textAt(config, "rds", "route_config_name");
      return inline === undefined
        ? name === undefined
          ? "HTTP"
          : `Route: ${name}`
        : inlineRouteWords(inline);
    }
    if (textAt(filter, "name") !== tcp) continue;
    const weighted = listAt(config, "weighted_clusters", "clusters").map((one) => textAt(one, "name") ?? "");
    const cluster = textAt(config, "cluster") ?? weighted.join(",");
    if (cluster !== "BlackHoleCluster") return clusterWords(cluster);
  }
  return "Non-HTTP/Non-TCP";
}

function isMeant(listener: DumpedResource, { address, port, type, name }: Filters): boolean {
  return (
    (address === undefined || addressesOf(listener).includes(address)) &&
    (port === undefined || portOf(listener) === port) &&
    (type === undefined || typeOf(listener) === type.toUpperCase()) &&
    (name === undefined || listener.name === name)
  );
}
