/**
 * Where connections of a port go that is not routed by requests: filter chains by server name and address.
 */
import type {
  FilterChainJson,
  FilterChainMatchJson,
  FilterJson,
} from "../../proto/envoy/envoy/config/listener/v3/listener_components_pb.js";
import { durationMs } from "../config/forms.ts";
import type { TcpRoute, TlsRoute } from "../config/objects.ts";
import type { Service, ServicePort } from "../model/model.ts";
import { canonicalRange } from "../../net/canonical-address.ts";
import { policiesOf, type Policies } from "./destination-rules.ts";
import { jsonDuration } from "./durations.ts";
import { type ConnectionOptions, tcpProxy, type WeightedCluster } from "./filters.ts";
import { outboundCluster } from "./names.ts";
import { withoutRivals } from "./rival-chains.ts";
import { type CallerMatch, clusterOf, isForCaller, type VirtualService } from "./rule-match.ts";
import type { ProxyView } from "./view.ts";

/** A service at the port that was called, and the rule for it. */
export interface CalledPort {
  readonly service: Service;
  readonly port: ServicePort;
  readonly rule: VirtualService | undefined;
}

/** The chains of a port for connections to these addresses and ranges of them, in the order in which they count. */
export function connectionChains(
  view: ProxyView,
  called: CalledPort,
  { ranges, byServerName }: { readonly ranges: readonly string[]; readonly byServerName: boolean },
): readonly FilterChainJson[] {
  const { service, port, rule } = called;
  // Two matches of a rule may want the same, too.
  const tls = withoutRivals(
    port.protocol === "tls" ? tlsChains(view, called, rule?.spec.tls ?? [], ranges) : [],
  );
  if (tls.length > 0) return tls;
  const tcp = withoutRivals(
    port.protocol === "tls" ? [] : tcpChains(view, called, rule?.spec.tcp ?? [], ranges),
  );
  if (tcp.length > 0) return tcp;
  const names = byServerName ? [service.host] : [];
  return [
    chain(
      { ranges, serverNames: names },
      [{ name: outboundCluster(service.host, port.number), weight: 1 }],
      view,
      called,
    ),
  ];
}

function tlsChains(
  view: ProxyView,
  called: CalledPort,
  routes: readonly TlsRoute[],
  ranges: readonly string[],
): readonly FilterChainJson[] {
  return routes.flatMap(({ match, route }) =>
    match
      .filter((each) => isForCaller(each, view.proxy, called.port.number))
      .map(({ sniHosts, destinationSubnets }) =>
        chain(
          { ranges: destinationSubnets ?? ranges, serverNames: sniHosts },
          weighted(route, view, called.port.number),
          view,
          called,
        ),
      ),
  );
}

function tcpChains(
  view: ProxyView,
  called: CalledPort,
  routes: readonly TcpRoute[],
  ranges: readonly string[],
): readonly FilterChainJson[] {
  const chains: FilterChainJson[] = [];
  for (const { match = [], route } of routes) {
    const clusters = weighted(route, view, called.port.number);
    const fitting = match.filter((each) => isForCaller(each, view.proxy, called.port.number));
    if (match.length > 0 && fitting.length === 0) continue;
    const subnets: readonly (CallerMatch & {
      readonly destinationSubnets?: readonly string[] | undefined;
    })[] = match.length === 0 ? [{}] : fitting;
    chains.push(
      ...subnets.map(({ destinationSubnets }) =>
        chain({ ranges: destinationSubnets ?? ranges, serverNames: [] }, clusters, view, called),
      ),
    );
    if (subnets.some(({ destinationSubnets }) => destinationSubnets === undefined)) break;
  }
  return chains;
}

/** Connections to a port go where a rule says, by what holds for its first destination. */
export function routedConnections(view: ProxyView, route: TcpRoute["route"], called: number): FilterJson {
  const [first] = route;
  const service = first === undefined ? undefined : view.serviceOf(first.destination.host);
  const [only] = service?.ports ?? [];
  const number = first?.destination.port?.number ?? called;
  const port = service?.ports.find((each) => each.number === number) ?? only;
  const options =
    service === undefined || port === undefined
      ? {}
      : connectionOptions(policiesOf(view.ruleOf(service), first?.destination.subset ?? "", port));
  return tcpProxy(weighted(route, view, called), options);
}

function weighted(route: TcpRoute["route"], view: ProxyView, called: number): readonly WeightedCluster[] {
  const clusters = route.map(({ destination, weight }) => ({
    name: clusterOf(destination, view, called),
    weight: weight ?? 0,
  }));
  if (clusters.length === 1) return clusters;
  return clusters.filter(({ weight }) => weight > 0);
}

function chain(
  { ranges, serverNames }: { readonly ranges: readonly string[]; readonly serverNames: readonly string[] },
  clusters: readonly WeightedCluster[],
  { ruleOf }: ProxyView,
  { service, port }: CalledPort,
): FilterChainJson {
  const match: FilterChainMatchJson = {
    ...(ranges.length === 0 ? {} : { prefixRanges: [...new Set(ranges.map(canonicalRange))].map(rangeOf) }),
    // The host `*` asks for no name.
    ...(serverNames.length === 0 || serverNames.includes("*")
      ? {}
      : { serverNames: [...new Set(serverNames.map((name) => name.toLowerCase()))] }),
  };
  return {
    ...(Object.keys(match).length === 0 ? {} : { filterChainMatch: match }),
    filters: [tcpProxy(clusters, connectionOptions(policiesOf(ruleOf(service), "", port)))],
  };
}

function connectionOptions({ connectionPool, loadBalancer }: Policies): ConnectionOptions {
  const { idleTimeout, maxConnectionDuration } = connectionPool?.tcp ?? {};
  return {
    ...(idleTimeout === undefined ? {} : { idleTimeout: jsonDuration(idleTimeout) }),
    // Envoy takes no limit of nothing, which would be none.
    ...(maxConnectionDuration === undefined || durationMs(maxConnectionDuration) === 0
      ? {}
      : { maxDownstreamConnectionDuration: jsonDuration(maxConnectionDuration) }),
    ...(loadBalancer?.consistentHash?.useSourceIp === true ? { hashPolicy: [{ sourceIp: {} }] } : {}),
  };
}

/** Whether a chain is for connections to an address: by how many bits of it, 0 when by none; undefined when not. */
function bitsMatched({ filterChainMatch }: FilterChainJson, address: string): number | undefined {
  const { prefixRanges } = filterChainMatch ?? {};
  if (prefixRanges === undefined) return 0;
  const bits = prefixRanges.flatMap(({ addressPrefix = "", prefixLen }) => {
    const length = prefixLen ?? 0;
    return canonicalRange(`${address}/${length}`) === `${addressPrefix}/${length}` ? [length] : [];
  });
  return bits.length === 0 ? undefined : Math.max(...bits);
}

/** The chain for connections to one address, which is known before they come; its own service's when a rule has none. */
export function chainFor(address: string, view: ProxyView, called: CalledPort): FilterChainJson | undefined {
  const all = { ranges: [], byServerName: false };
  const fitting = connectionChains(view, called, all)
    .map((each) => ({ chain: each, bits: bitsMatched(each, address) ?? -1 }))
    .filter(({ bits }) => bits >= 0)
    .toSorted((a, b) => b.bits - a.bits);
  const [first] = fitting.map(({ chain: each }) => each);
  return first ?? connectionChains(view, { ...called, rule: undefined }, all)[0];
}

/** `10.0.0.0/8`, or one address. */
export function rangeOf(range: string): { readonly addressPrefix: string; readonly prefixLen: number } {
  const [addressPrefix = "", bits] = canonicalRange(range).split("/");
  const whole = addressPrefix.includes(":") ? 128 : 32;
  return { addressPrefix, prefixLen: bits === undefined ? whole : Number(bits) };
}
