/**
 * VirtualServices of the routes that listeners and services of the mesh have taken.
 */
import { isHostNamed, meshGateway } from "../host-names.ts";
import type { ConfigObject, HttpRoute, TcpRoute, TlsRoute, VirtualServiceSpec } from "../objects.ts";
import { hostnamesOf, type Route } from "./attach.ts";
import type { Listener } from "./listeners.ts";
import { inOrder, type RankedRoute } from "./precedence.ts";

type VirtualService = Extract<ConfigObject, { kind: "VirtualService" }>;
type Connections = TcpRoute["route"];

/** What an object's rules say, as a listener or a service takes it. */
export type RulesOf =
  | { readonly kind: "requests"; readonly http: readonly HttpRoute[] }
  | { readonly kind: "connections"; readonly routes: readonly Connections[] };

/** An object whose rules are taken; objects come in the order of their age. */
export interface Taken {
  readonly route: Route;
  readonly age: number;
  readonly rules: RulesOf;
}

/** What is taken for one host. */
interface ForHost {
  readonly ranked: RankedRoute[];
  readonly tls: TlsRoute[];
  readonly tcp: TcpRoute[];
  /** Which objects, and by which names. */
  readonly of: string[];
  readonly oldest: Route;
}

/** The rules of one listener: hosts with the same routes share one. */
export class ListenerRules {
  readonly #listener: Listener;
  readonly #hosts = new Map<string, ForHost>();
  readonly #routes = new Set<Route>();

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  get attachedRoutes(): number {
    return this.#routes.size;
  }

  add(taken: Taken, hosts: readonly { readonly host: string; readonly written: string }[]): void {
    // Two of an object's references may lead to one listener.
    if (this.#routes.has(taken.route)) return;
    this.#routes.add(taken.route);
    for (const { host, written } of hosts) {
      const there = forHost(this.#hosts, host, taken.route);
      const { kind, namespace, name } = taken.route;
      there.of.push(`${kind} ${namespace}/${name} ${taken.rules.kind === "requests" ? "" : host}`);
      add(there, taken, written, this.#passesTls ? { sniHosts: [host] } : {});
    }
  }

  get #passesTls(): boolean {
    const { protocol, tls } = this.#listener.spec;
    return protocol === "TLS" && tls?.mode === "Passthrough";
  }

  virtualServices(): readonly VirtualService[] {
    const alike = Map.groupBy(this.#hosts, ([, { of, ranked }]) => {
      // Of several objects the order depends on how each has the host.
      const names = of.length === 1 ? [] : ranked.map(({ written }) => written);
      return JSON.stringify([of, names]);
    });
    return [...alike.values()].flatMap((sharing) => {
      const [first] = sharing;
      if (first === undefined) return [];
      const [, name = ""] = this.#listener.name.split("/");
      const hosts = sharing.map(([host]) => host);
      return [virtualService(`${name}~${hosts[0]}`, first[1], { hosts, gateways: [this.#listener.name] })];
    });
  }
}

/** The rules for calls to services, by who has written them: those of a namespace for a host are one. */
export class MeshRules {
  readonly #hosts = new Map<string, ForHost & { readonly host: string; readonly producer: string }>();

  add(
    taken: Taken,
    at: { readonly hosts: readonly string[]; readonly producer: string; readonly port: number | undefined },
  ): void {
    for (const host of at.hosts) {
      const key = `${taken.route.namespace}~${host}`;
      const there = this.#hosts.get(key) ?? {
        ...newHost(taken.route),
        host,
        producer: at.producer,
      };
      this.#hosts.set(key, there);
      add(there, taken, host, { sniHosts: serverNames(taken.route, host), port: at.port });
    }
  }

  virtualServices(): readonly VirtualService[] {
    return [...this.#hosts].map(([key, { host, producer, ...rest }]) =>
      virtualService(key, rest, { hosts: [host], gateways: [meshGateway] }, producer),
    );
  }
}

function newHost(oldest: Route): ForHost {
  return { ranked: [], tls: [], tcp: [], of: [], oldest };
}

function forHost(hosts: Map<string, ForHost>, host: string, oldest: Route): ForHost {
  const there = hosts.get(host) ?? newHost(oldest);
  hosts.set(host, there);
  return there;
}

interface Place {
  /** Names by which connections of TLS are told apart; undefined where TLS has ended before. */
  readonly sniHosts?: readonly string[];
  readonly port?: number | undefined;
}

function add(there: ForHost, { route, age, rules }: Taken, written: string, place: Place): void {
  const port = place.port === undefined ? {} : { port: place.port };
  if (rules.kind === "requests") {
    const http = rules.http.map((each) => ({
      ...each,
      match: each.match?.map((match) => ({ ...match, ...port })),
    }));
    there.ranked.push(...http.map((each) => ({ route: each, written, age })));
    return;
  }
  const { sniHosts } = place;
  if (route.kind === "TLSRoute" && sniHosts !== undefined) {
    there.tls.push(...rules.routes.map((to): TlsRoute => ({ match: [{ sniHosts, ...port }], route: to })));
    return;
  }
  there.tcp.push(
    ...rules.routes.map((to): TcpRoute => ({
      ...(place.port === undefined ? {} : { match: [port] }),
      route: to,
    })),
  );
}

/** Those that the route names, of a service with several hosts those of the host, or the host's own. */
function serverNames(route: Route, host: string): readonly string[] {
  const own = hostnamesOf(route).filter((name) => name !== "*");
  const ofHost = own.filter((name) => isHostNamed(name, host));
  return [ofHost, own, [host]].find((names) => names.length > 0) ?? [];
}

function virtualService(
  name: string,
  { oldest, ranked, tls, tcp }: Omit<ForHost, "of">,
  spec: Pick<VirtualServiceSpec, "hosts" | "gateways">,
  producer?: string,
): VirtualService {
  const { namespace, createdAtMs, source, line } = oldest;
  return {
    kind: "VirtualService",
    name,
    namespace,
    ...(createdAtMs === undefined ? {} : { createdAtMs }),
    source,
    line,
    spec: {
      ...spec,
      ...(ranked.length === 0 ? {} : { http: inOrder(ranked) }),
      ...(tls.length === 0 ? {} : { tls }),
      ...(tcp.length === 0 ? {} : { tcp }),
    },
    gatewayApi: producer === undefined ? {} : { producer },
  };
}
