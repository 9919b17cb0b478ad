/**
 * Routes of a gateway: hosts of its servers that VirtualServices are for.
 */
import type {
  RouteJson,
  VirtualHostJson,
} from "../../../proto/envoy/envoy/config/route/v3/route_components_pb.js";
import type { RouteConfigurationJson } from "../../../proto/envoy/envoy/config/route/v3/route_pb.js";
import { httpRoutes } from "../http-route.ts";
import { routeSettings } from "../routes.ts";
import type { ProxyView } from "../view.ts";
import { endsTls, type GatewayServer, gatewayPorts, rulesFor, sharedHosts } from "./servers.ts";

/** One per port of plain HTTP, and one per server of HTTPS. */
export function gatewayRoutes(view: ProxyView): readonly RouteConfigurationJson[] {
  const servers = gatewayPorts(view).flatMap((port) => port.servers);
  const routed = Map.groupBy(servers, ({ routeName }) => routeName);
  return [...routed].flatMap(([name, sharing]) =>
    name === undefined ? [] : [{ name, ...routeSettings, virtualHosts: [...virtualHosts(view, sharing)] }],
  );
}

/** What one host is routed by, as the servers and rules for it add to it. */
interface HostRoutes {
  readonly name: string;
  readonly routes: RouteJson[];
  /** Which rules the routes are of. */
  readonly of: string[];
  redirects: boolean;
}

function virtualHosts(view: ProxyView, servers: readonly GatewayServer[]): readonly VirtualHostJson[] {
  const hosts = new Map<string, HostRoutes>();
  const hostAt = (host: string, port: number): HostRoutes => {
    const there = hosts.get(host) ?? { name: `${host}:${port}`, routes: [], of: [], redirects: false };
    hosts.set(host, there);
    return there;
  };
  for (const server of servers) {
    const { gateway, spec } = server;
    const port = spec.port.number;
    const redirects = spec.tls?.httpsRedirect === true;
    for (const rule of rulesFor(view, gateway)) {
      const routes = httpRoutes(rule, { view, port, gateway, isTls: endsTls(spec) });
      for (const host of sharedHosts(server, rule)) {
        const there = hostAt(host, port);
        there.routes.push(...routes);
        there.of.push(`${gateway} ${rule.namespace}/${rule.name}`);
        there.redirects ||= redirects;
      }
    }
    if (redirects) for (const { host } of server.hosts) hostAt(host, port).redirects = true;
  }
  if (hosts.size === 0) return [{ name: `blackhole:${servers[0]?.spec.port.number ?? 0}`, domains: ["*"] }];
  const sorted = [...hosts].toSorted(([a], [b]) => (a < b ? -1 : 1));
  // Hosts with the same routes are one virtual host: a rule for many hosts is sent once.
  const alike = Map.groupBy(sorted, ([, { of, redirects }]) => JSON.stringify([of, redirects]));
  return [...alike.values()].flatMap(([first, ...others]): readonly VirtualHostJson[] => {
    if (first === undefined) return [];
    const [domain, { name, routes, redirects }] = first;
    return [
      {
        name,
        domains: [domain, ...others.map(([host]) => host)],
        includeRequestAttemptCount: true,
        routes: [...lastTakesAll(routes)],
        ...(redirects ? { requireTls: "ALL" as const } : {}),
      },
    ];
  });
}

/** Routes of several rules for one host are tried together: those that take everything come after all others. */
function lastTakesAll(routes: readonly RouteJson[]): readonly RouteJson[] {
  const takesAll = ({ match }: RouteJson): boolean =>
    match?.prefix === "/" && match.headers === undefined && match.queryParameters === undefined;
  return [...routes.filter((route) => !takesAll(route)), ...routes.filter(takesAll)];
}
