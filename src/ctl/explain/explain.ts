/**
 * Follows a request through a client's Envoy and, where it is known, the server's, by what both have. Pure: it is
 * evaluated as Envoy does, from the same resources.
 */
import { at, listAt, textAt } from "../../lifecycle/json-path.ts";
import type { ConfigDump } from "../proxy/config-dump.ts";
import { clientRoutes, type ClientTarget } from "./client-listener.ts";
import { matchesString } from "./matchers.ts";
import { objectOf } from "./objects.ts";
import { type Explanation, normalized, type Outcome, type Request, type Step } from "./request.ts";
import { rewritten, routeFor, virtualHostFor } from "./route-choice.ts";
import { followServer } from "./server.ts";
import { endpointsOf, type Endpoint, upstreamTlsOf } from "./upstream.ts";

/** What is known. */
export interface Mesh {
  readonly client: ConfigDump;
  /** The client's SPIFFE ID; undefined where it has none. */
  readonly clientIdentity: string | undefined;
  /** Where the client's connections come from. */
  readonly clientAddress: string;
  /** Dumps of Envoys that may serve, by their names. */
  readonly servers: readonly KnownServer[];
}

/** An Envoy that may serve. */
export interface KnownServer {
  readonly name: string;
  readonly dump: ConfigDump;
  /** Its SPIFFE ID; undefined where that is not known. */
  readonly identity: string | undefined;
  /** IP addresses of its workload: calls of others are not its own. */
  readonly addresses: readonly string[];
}

/** HTTP statuses of redirects; what is the first value of the enumeration is left out of JSON. */
const redirectCodes: Readonly<Record<string, number>> = {
  FOUND: 302,
  SEE_OTHER: 303,
  TEMPORARY_REDIRECT: 307,
  PERMANENT_REDIRECT: 308,
};

const client = "the client's Envoy";

/** @param target where the application connects to */
export function explain(mesh: Mesh, target: ClientTarget, given: Request): Explanation {
  const steps: Step[] = [];
  const step = (what: string, words: string, rule?: string): void => {
    steps.push({ at: "client", what, words, ...(rule === undefined ? {} : { rule }) });
  };
  const ends = (
    status: number | undefined,
    reason: string,
    answeredBy: Outcome["answeredBy"] = client,
  ): Explanation => ({
    steps,
    outcomes: [{ share: 1, status, answeredBy, reason, steps: [] }],
  });
  const way = clientRoutes(mesh.client, target);
  step("listener", way.words);
  if (way.kind === "bytes") return { steps, outcomes: toCluster(mesh, way.cluster, given, 1, undefined) };
  if (way.kind === "none") return ends(undefined, way.words, "a host outside the mesh");
  const request = way.normalizes ? normalized(given) : given;
  const host = virtualHostFor(way.config, request.authority);
  if (host === undefined) {
    step("virtual host", `none of ${way.routeName} has the domain ${request.authority}`);
    return ends(404, `no virtual host for ${request.authority}`);
  }
  step("virtual host", `${textAt(host.host, "name") ?? ""}, by its domain ${host.domain}`);
  const found = routeFor(host.host, request);
  if (found === undefined) {
    step("route", "none matches");
    return ends(404, "no route matches");
  }
  const { route, index } = found;
  const rule = objectOf(route);
  const name = textAt(route, "name") ?? "";
  step(
    "route",
    `number ${index + 1}${name === "" ? "" : ` (${name})`}: ${conditionWords(at(route, "match"))}`,
    rule,
  );
  const preflight = corsAnswer(route, request);
  if (preflight !== undefined) {
    step("cors", preflight.words, rule);
    return ends(200, "it is a preflight that the route's CORS policy answers");
  }
  const fault = faultOf(route);
  if (fault !== undefined) step("fault", fault.words, rule);
  if (fault?.share === 1) return ends(fault.status, "the route's fault aborts it");
  const rest = 1 - (fault?.share ?? 0);
  const aborted: readonly Outcome[] =
    fault === undefined || fault.share === 0
      ? []
      : [
          {
            share: fault.share,
            status: fault.status,
            answeredBy: client,
            reason: "the route's fault aborts it",
            steps: [],
          },
        ];
  const redirect = at(route, "redirect");
  if (redirect !== undefined) {
    const status = redirectCodes[textAt(redirect, "response_code") ?? ""] ?? 301;
    step("redirect", `${status}`, rule);
    return ends(status, "the route redirects it");
  }
  const direct = at(route, "direct_response", "status");
  if (direct !== undefined) {
    step("direct response", String(Number(direct)), rule);
    return ends(Number(direct), "the route answers itself");
  }
  const sent = targetsOf(route).flatMap(({ cluster, share, holder }) =>
    toCluster(mesh, cluster, rewritten(request, route, holder), rest * share, rule, missingStatusOf(route)),
  );
  return { steps, outcomes: [...aborted, ...sent] };
}

/** What is answered where a route's cluster is not there (RouteAction.ClusterNotFoundResponseCode). */
function missingStatusOf(route: unknown): number {
  const code = textAt(route, "route", "cluster_not_found_response_code") ?? "";
  return { NOT_FOUND: 404, INTERNAL_SERVER_ERROR: 500 }[code] ?? 503;
}

/** The clusters that a route sends requests to, with the part of each. */
function targetsOf(
  route: unknown,
): readonly { readonly cluster: string; readonly share: number; readonly holder: unknown }[] {
  const action = at(route, "route");
  const weighted = listAt(action, "weighted_clusters", "clusters");
  if (weighted.length === 0)
    return [{ cluster: textAt(action, "cluster") ?? "", share: 1, holder: undefined }];
  const weight = (cluster: unknown): number => Number(at(cluster, "weight") ?? 0);
  const total = weighted.reduce<number>((sum, cluster) => sum + weight(cluster), 0);
  return weighted
    .filter((cluster) => weight(cluster) > 0)
    .map((holder) => ({
      cluster: textAt(holder, "name") ?? "",
      share: weight(holder) / total,
      holder,
    }));
}

function toCluster(
  mesh: Mesh,
  name: string,
  request: Request,
  share: number,
  rule: string | undefined,
  missingStatus = 503,
): readonly Outcome[] {
  const cluster = mesh.client.cluster.find((one) => one.name === name)?.json;
  const chosen: Step = {
    at: "client",
    what: "cluster",
    words: name,
    ...(rule === undefined ? {} : { rule }),
  };
  const fails = (reason: string, words: string, status = 503): readonly Outcome[] => [
    {
      ...{ share, status, answeredBy: client, reason, cluster: name },
      steps: [chosen, { at: "client", what: "endpoint", words }],
    },
  ];
  if (cluster === undefined)
    return fails(`there is no cluster ${name}`, "none: the cluster is not there", missingStatus);
  if (textAt(cluster, "type") === "ORIGINAL_DST") {
    const reason = "it goes to the address that the application called, past the mesh";
    return [
      {
        ...{ share, status: undefined, answeredBy: "a host outside the mesh", reason, cluster: name },
        steps: [chosen],
      },
    ];
  }
  const endpoints = endpointsOf(mesh.client, cluster);
  if (endpoints.length === 0)
    return fails(`no endpoint of ${name} is there and healthy`, "none is there and healthy");
  return endpoints.map((endpoint) => {
    const { steps, ...outcome } = toEndpoint(mesh, cluster, endpoint, request);
    return {
      ...outcome,
      share: share * endpoint.share,
      cluster: name,
      endpoint: `${endpoint.address}:${endpoint.port}`,
      steps: [chosen, ...steps],
    };
  });
}

function toEndpoint(
  { clientIdentity, clientAddress, servers }: Mesh,
  cluster: unknown,
  endpoint: Endpoint,
  request: Request,
): Omit<Outcome, "share" | "cluster" | "endpoint"> {
  const tls = upstreamTlsOf(cluster, endpoint);
  const called: Step = {
    at: "client",
    what: "endpoint",
    words: `${endpoint.address}:${endpoint.port}, ${tls === undefined ? "in plain text" : tls.showsIdentity ? "by mutual TLS" : "by TLS"}`,
    ...ruleOfCluster(cluster),
  };
  const call = {
    ...{ address: endpoint.address, port: endpoint.port, from: clientAddress },
    tls,
    principal: tls?.showsIdentity === true ? clientIdentity : undefined,
  };
  const own = servers.filter(({ addresses }) => addresses.includes(endpoint.address));
  for (const { name, dump, identity } of own) {
    const outcome = followServer(dump, call, request);
    if (outcome === undefined) continue;
    const isWrong =
      tls !== undefined &&
      tls.identities.length > 0 &&
      identity !== undefined &&
      !tls.identities.some((matcher) => matchesString(matcher, identity));
    if (!isWrong) return { ...outcome, steps: [called, ...outcome.steps] };
    return {
      ...{
        status: 503,
        answeredBy: client,
        reason: `the server ${name} is ${identity}, which the client does not expect`,
      },
      steps: [called],
    };
  }
  const reason = "the server's Envoy is not known here, or there is none: what listens there answers";
  return { status: undefined, answeredBy: "the application", reason, steps: [called] };
}

function ruleOfCluster(cluster: unknown): { readonly rule?: string } {
  const rule = objectOf(cluster);
  return rule === undefined ? {} : { rule };
}

function conditionWords(match: unknown): string {
  const { metadata: _, ...rest } = match as { readonly metadata?: unknown };
  return JSON.stringify(rest);
}

const percents: Readonly<Record<string, number>> = { TEN_THOUSAND: 10_000, MILLION: 1_000_000 };

/** What a route's fault does: which part of the requests gets which status. */
function faultOf(
  route: unknown,
): { readonly words: string; readonly share: number; readonly status: number | undefined } | undefined {
  const config = at(route, "typed_per_filter_config", "envoy.filters.http.fault");
  if (config === undefined) return undefined;
  const part = (of: string): number => {
    const percentage = at(config, of, "percentage");
    const whole = percents[textAt(percentage, "denominator") ?? ""] ?? 100;
    return Math.min(1, Number(at(percentage, "numerator") ?? 0) / whole);
  };
  const [delay, status] = [textAt(config, "delay", "fixed_delay"), at(config, "abort", "http_status")];
  const words = [
    ...(delay === undefined ? [] : [`${part("delay") * 100} % wait ${delay}`]),
    ...(at(config, "abort") === undefined
      ? []
      : [`${part("abort") * 100} % get ${status === undefined ? "a gRPC status" : Number(status)}`]),
  ].join(", ");
  const share = at(config, "abort") === undefined ? 0 : part("abort");
  return { words, share, status: status === undefined ? undefined : Number(status) };
}

/** A preflight of an origin that the route knows is answered by the filter (Envoy's CORS filter). */
function corsAnswer(route: unknown, { method, headers }: Request): { readonly words: string } | undefined {
  const config = at(route, "typed_per_filter_config", "envoy.filters.http.cors");
  const origin = headers["origin"];
  const isPreflight = method === "OPTIONS" && (headers["access-control-request-method"] ?? "") !== "";
  if (config === undefined || origin === undefined || !isPreflight) return undefined;
  const isKnown = listAt(config, "allow_origin_string_match").some((matcher) =>
    matchesString(matcher, origin),
  );
  if (isKnown) return { words: `a preflight of ${origin}, which is allowed` };
  return at(config, "forward_not_matching_preflights") === false
    ? { words: `a preflight of ${origin}, which is not allowed` }
    : undefined;
}
