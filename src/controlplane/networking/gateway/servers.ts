/**
 * The servers of all Gateways that select a router, as one: what each of its ports is for.
 */
import { gatewayName, isHostNamed } from "../../config/host-names.ts";
import type { GatewayServerSpec, GatewaySpec } from "../../config/objects.ts";
import { routerPorts } from "../../config/sidecar-ports.ts";
import type { Caller } from "../../model/caller.ts";
import { isExportedTo, type Scoped, selects } from "../../model/model.ts";
import { isWildcard } from "../captured-addresses.ts";
import type { VirtualService } from "../rule-match.ts";
import type { ProxyView } from "../view.ts";

/** A server of one of the Gateways. */
export interface GatewayServer {
  /** `namespace/name` of its Gateway. */
  readonly gateway: string;
  /** Labels of the routers that its Gateway is for. */
  readonly selector: Readonly<Record<string, string>>;
  /** Hosts of the services of its namespace whose endpoints it is for as well. */
  readonly services: readonly string[];
  readonly spec: GatewayServerSpec;
  /** For `namespace/host` those of one namespace's rules, else for those of all. */
  readonly hosts: readonly ServerHost[];
  /** Of the routes of what speaks HTTP in the end. */
  readonly routeName: string | undefined;
}

/** For which hosts a server is, and whose rules say where they lead. */
export interface ServerHost {
  readonly host: string;
  /** Undefined for every namespace. */
  readonly namespace: string | undefined;
}

/** Where the router listens, and for what. */
export interface GatewayPort {
  /** Undefined for every address. */
  readonly bind: string | undefined;
  readonly number: number;
  /** Servers of HTTP share one chain; others are told apart by the server name of TLS. */
  readonly kind: "http" | "tls" | "tcp";
  readonly servers: GatewayServer[];
}

/** In the order of their Gateways' age: of two servers that exclude each other the older one is there. */
export function gatewayPorts(view: ProxyView): readonly GatewayPort[] {
  const ports = new Map<string, GatewayPort>();
  const routes = new Set<string>();
  for (const gateway of view.routed?.gateways ?? []) {
    if (!isServedBy(gateway, view.proxy)) continue;
    for (const spec of gateway.spec.servers) {
      const bind = spec.bind === undefined || isWildcard(spec.bind) ? undefined : spec.bind;
      // A port that no service before the router has is its own.
      const number = view.proxy.targetPorts[spec.port.number] ?? spec.port.number;
      if (bind === undefined && routerPorts.has(number)) continue;
      const server = serverOf(gateway, spec, { bind, number });
      const key = `${bind ?? view.proxy.wildcards[0]}_${number}`;
      const port = ports.get(key) ?? { bind, number, kind: kindOf(spec), servers: [] };
      if (!goesWith(server, port, routes)) continue;
      port.servers.push(server);
      ports.set(key, port);
      if (server.routeName !== undefined) routes.add(server.routeName);
    }
  }
  return [...ports.values()];
}

/** A Gateway of the Gateway API is for routers of its own namespace only, by their label or by a service before them. */
function isServedBy({ spec, namespace, gatewayApi }: Scoped<GatewaySpec>, proxy: Caller): boolean {
  const isSelected = selects(spec.selector ?? {}, proxy.labels);
  if (gatewayApi === undefined) return isSelected;
  const isBehind = gatewayApi.services?.some((host) => proxy.services.includes(host)) === true;
  return namespace === proxy.namespace && (isSelected || isBehind);
}

/** The rules that are for a Gateway, as the router sees them. */
export function rulesFor(view: ProxyView, gateway: string): readonly VirtualService[] {
  return (view.routed?.virtualServices ?? []).filter(
    ({ spec, namespace }) =>
      (spec.gateways ?? []).includes(gateway) && isExportedTo(spec.exportTo, namespace, view.proxy.namespace),
  );
}

/** Hosts of a rule that are a server's, of both the one that says more. */
export function sharedHosts(server: GatewayServer, rule: VirtualService): readonly string[] {
  const shared = server.hosts
    .filter(({ namespace }) => namespace === undefined || namespace === rule.namespace)
    .flatMap(({ host }) =>
      rule.spec.hosts.flatMap((wanted) => {
        if (isHostNamed(host, wanted)) return [host.toLowerCase()];
        return isHostNamed(wanted, host) ? [wanted.toLowerCase()] : [];
      }),
    );
  return [...new Set(shared)];
}

/** True for a server whose TLS ends at the gateway. */
export function endsTls({ tls }: GatewayServerSpec): boolean {
  return tls !== undefined && !["PASSTHROUGH", "AUTO_PASSTHROUGH"].includes(tls.mode ?? "PASSTHROUGH");
}

function kindOf({ port, tls }: GatewayServerSpec): GatewayPort["kind"] {
  if (["HTTP", "HTTP2", "GRPC"].includes(port.protocol)) return "http";
  return tls === undefined ? "tcp" : "tls";
}

function serverOf(
  { name, namespace, spec: { selector = {} }, gatewayApi }: Scoped<GatewaySpec>,
  spec: GatewayServerSpec,
  { bind, number }: Pick<GatewayPort, "bind" | "number">,
): GatewayServer {
  const suffix = bind === undefined ? "" : `.${bind}`;
  const secured = `https.${spec.port.number}.${spec.port.name}.${name}.${namespace}${suffix}`;
  const isHttps = spec.port.protocol === "HTTPS" && endsTls(spec);
  const routeName = kindOf(spec) === "http" ? `http.${number}${suffix}` : isHttps ? secured : undefined;
  return {
    gateway: gatewayName(name, namespace),
    selector,
    services: gatewayApi?.services ?? [],
    spec,
    hosts: spec.hosts.map((host) => serverHost(host, namespace)),
    routeName,
  };
}

function serverHost(written: string, own: string): ServerHost {
  const [host = "", namespace = "*"] = written.split("/").toReversed();
  const where = namespace === "." ? own : namespace;
  return { host: host.toLowerCase(), namespace: where === "*" ? undefined : where };
}

/** Plain HTTP goes with its like, TLS with servers of other names. */
function goesWith(
  server: GatewayServer,
  { kind, servers }: GatewayPort,
  routes: ReadonlySet<string>,
): boolean {
  if (servers.length === 0) return true;
  if (kind !== kindOf(server.spec) || kind === "tcp") return false;
  if (kind === "http") return true;
  const taken = new Set(servers.flatMap(({ hosts }) => hosts.map(({ host }) => host)));
  const isFree = server.hosts.every(({ host }) => !taken.has(host));
  return isFree && (server.routeName === undefined || !routes.has(server.routeName));
}
