/**
 * Routes of outbound HTTP: virtual hosts by service, changed by VirtualServices.
 */
import type {
  HeaderMatcherJson,
  RouteActionJson,
  RouteJson,
  RouteMatchJson,
  VirtualHostJson,
} from "../../proto/envoy/envoy/config/route/v3/route_components_pb.js";
import type { RouteConfigurationJson } from "../../proto/envoy/envoy/config/route/v3/route_pb.js";
import type { StringMatcherJson } from "../../proto/envoy/envoy/type/matcher/v3/string_pb.js";
import { PreviousHostsPredicateSchema } from "../../proto/envoy/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js";
import { durationMs } from "../config/forms.ts";
import type { HttpMatch, HttpRoute, RouteDestination, StringMatch } from "../config/objects.ts";
import type { Model, Service, ServicePort } from "../model/model.ts";
import { packed } from "./any.ts";
import { callableNames, outboundCluster } from "./names.ts";

/** A service with the one of its ports that is routed to. */
export interface RoutedService {
  readonly service: Service;
  readonly port: ServicePort;
}

/** Where requests go whose host no service has. */
export type Fallback = "passthrough" | "block";

/** The route configuration `name`. */
export function routeConfiguration(
  name: string,
  routed: readonly RoutedService[],
  context: { readonly model: Model; readonly namespace: string; readonly fallback: Fallback },
): RouteConfigurationJson {
  return {
    name,
    validateClusters: false,
    ignorePortInHostMatching: true,
    maxDirectResponseBodySizeBytes: 1_048_576,
    virtualHosts: [
      ...withOwnDomains(routed.map((entry) => virtualHost(entry, context.model, context.namespace))),
      fallbackHost(context.fallback),
    ],
  };
}

/** A virtual host as it is made here. */
interface NamedHost extends VirtualHostJson {
  readonly name: string;
  domains: string[];
}

/** Envoy refuses a configuration in which two hosts have a domain: the first of them keeps it. */
function withOwnDomains(hosts: readonly NamedHost[]): readonly VirtualHostJson[] {
  const taken = new Set<string>();
  const names = new Set<string>();
  return hosts.flatMap((host) => {
    const domains = host.domains.filter((domain) => !taken.has(domain.toLowerCase()));
    if (domains.length === 0 || names.has(host.name)) return [];
    names.add(host.name);
    for (const domain of domains) taken.add(domain.toLowerCase());
    return [{ ...host, domains }];
  });
}

function virtualHost({ service, port }: RoutedService, model: Model, namespace: string): NamedHost {
  const virtualService = model.virtualServices.find(({ spec }) => spec.hosts.includes(service.host));
  const routes = virtualService?.spec.http.flatMap((route) => httpRoutes(route, model, port.number)) ?? [
    {
      name: "default",
      match: { prefix: "/" },
      route: action({ cluster: outboundCluster(service.host, port.number) }),
    },
  ];
  return {
    name: `${service.host}:${port.number}`,
    domains: [...callableNames(service.host, namespace), ...service.addresses],
    includeRequestAttemptCount: true,
    routes,
  };
}

function fallbackHost(fallback: Fallback): VirtualHostJson {
  return fallback === "passthrough"
    ? {
        name: "allow_any",
        domains: ["*"],
        routes: [
          { name: "allow_any", match: { prefix: "/" }, route: action({ cluster: "PassthroughCluster" }) },
        ],
      }
    : {
        name: "block_all",
        domains: ["*"],
        routes: [{ name: "block_all", match: { prefix: "/" }, directResponse: { status: 502 } }],
      };
}

/** One route per match: matches are alternatives, and the first that fits wins. */
function httpRoutes(route: HttpRoute, model: Model, port: number): readonly RouteJson[] {
  const timeoutMs = route.timeout === undefined ? undefined : durationMs(route.timeout);
  const destination = action(destinations(route.route, model, port), timeoutMs);
  const name = route.name ?? "";
  const matches = route.match === undefined || route.match.length === 0 ? [undefined] : route.match;
  return matches.map((match) => ({
    ...(name === "" && match?.name === undefined
      ? {}
      : { name: [name, match?.name].filter(Boolean).join(".") }),
    match: match === undefined ? { prefix: "/" } : routeMatch(match),
    route: destination,
  }));
}

function destinations(route: readonly RouteDestination[], model: Model, port: number): RouteActionJson {
  const cluster = ({ destination }: RouteDestination): string =>
    outboundCluster(destination.host, destinationPort(destination, model, port), destination.subset);
  const [first] = route;
  if (route.length === 1 && first !== undefined) return { cluster: cluster(first) };
  return {
    weightedClusters: {
      clusters: route.flatMap((entry) => {
        const { weight = 0 } = entry;
        return weight > 0 ? [{ name: cluster(entry), weight }] : [];
      }),
    },
  };
}

/** The port that is said, else the destination's only one, else the one that was called. */
function destinationPort(destination: RouteDestination["destination"], model: Model, called: number): number {
  if (destination.port !== undefined) return destination.port.number;
  const ports = model.services.find(({ host }) => host === destination.host)?.ports ?? [];
  const [only] = ports;
  return ports.length === 1 && only !== undefined ? only.number : called;
}

function action(target: RouteActionJson, timeoutMs = 0): RouteActionJson {
  return {
    ...target,
    timeout: seconds(timeoutMs),
    maxGrpcTimeout: seconds(timeoutMs),
    retryPolicy: {
      retryOn: "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
      numRetries: 2,
      retryHostPredicate: [
        {
          name: "envoy.retry_host_predicates.previous_hosts",
          typedConfig: packed(PreviousHostsPredicateSchema, {}),
        },
      ],
      hostSelectionRetryMaxAttempts: "5",
    },
  };
}

/** Protobuf's JSON form of durations knows seconds only. */
function seconds(ms: number): string {
  return `${Number((ms / 1_000).toFixed(3))}s`;
}

function routeMatch(match: HttpMatch): RouteMatchJson {
  const headers: HeaderMatcherJson[] = [
    ...Object.entries(match.headers ?? {}).map(([name, value]) => ({
      name,
      stringMatch: stringMatcher(value),
    })),
    ...(match.method === undefined ? [] : [{ name: ":method", stringMatch: stringMatcher(match.method) }]),
    ...(match.authority === undefined
      ? []
      : [{ name: ":authority", stringMatch: stringMatcher(match.authority) }]),
  ];
  return {
    ...pathMatch(match.uri),
    ...(match.ignoreUriCase === true ? { caseSensitive: false } : {}),
    ...(headers.length === 0 ? {} : { headers }),
  };
}

function pathMatch(uri: StringMatch | undefined): RouteMatchJson {
  if (uri?.exact !== undefined) return { path: uri.exact };
  if (uri?.regex !== undefined) return { safeRegex: { regex: uri.regex } };
  return { prefix: uri?.prefix ?? "/" };
}

function stringMatcher(match: StringMatch): StringMatcherJson {
  if (match.exact !== undefined) return { exact: match.exact };
  if (match.prefix !== undefined) return { prefix: match.prefix };
  return { safeRegex: { regex: match.regex ?? "" } };
}
