/**
 * Where a route leads, and what happens on the way: clusters, timeouts, retries, rewrites, mirrors.
 */
import type {
  RetryPolicyJson,
  RouteActionJson,
  RouteAction_HashPolicyJson,
} from "../../proto/envoy/envoy/config/route/v3/route_components_pb.js";
import { PreviousHostsPredicateSchema } from "../../proto/envoy/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js";
import { PreviousPrioritiesConfigSchema } from "../../proto/envoy/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js";
import { durationMs } from "../config/forms.ts";
import type { Destination, HttpMatch, HttpRoute } from "../config/objects.ts";
import type { Service, ServicePort } from "../model/model.ts";
import { packed } from "./any.ts";
import { policiesOf } from "./destination-rules.ts";
import { jsonDuration, secondsOf } from "./durations.ts";
import { headerOperations, isHostHeader } from "./header-operations.ts";
import type { RouteContext, RouteView } from "./http-route.ts";
import { perMillion } from "./route-filters.ts";
import { clusterOf } from "./rule-match.ts";

const defaultRetryOn = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";

/** What happens to requests of which no rule says anything. */
export function defaultAction(
  cluster: string,
  view: RouteView,
  { service, port }: { readonly service: Service; readonly port: ServicePort },
): RouteActionJson {
  const hash = hashPolicies(view, service, port, "");
  return {
    cluster,
    timeout: "0s",
    maxGrpcTimeout: "0s",
    // Of these another endpoint is tried even where a hash has chosen one, as Istio has it.
    ...retriesAs(retryPolicy(undefined, false)),
    ...(hash.length === 0 ? {} : { hashPolicy: hash }),
  };
}

/** What happens to the requests of a route. */
export function routeAction(
  route: HttpRoute,
  match: HttpMatch | undefined,
  context: RouteContext,
): RouteActionJson {
  const { view, port } = context;
  const timeout = secondsOf(route.timeout === undefined ? 0 : (durationMs(route.timeout) ?? 0));
  const destinations = route.route ?? [];
  const hash = destinations.flatMap(({ destination }) => hashPoliciesOf(destination, view, port));
  const mirrors = [
    ...(route.mirror === undefined
      ? []
      : [{ destination: route.mirror, percentage: route.mirrorPercentage }]),
    ...(route.mirrors ?? []),
  ].filter(({ percentage }) => percentage?.value !== 0);
  return {
    ...clusters(destinations, context),
    ...(route.origin === undefined ? {} : { clusterNotFoundResponseCode: "INTERNAL_SERVER_ERROR" as const }),
    timeout,
    maxGrpcTimeout: timeout,
    ...retriesAs(retryPolicy(route.retries, hash.length > 0)),
    ...(hash.length === 0 ? {} : { hashPolicy: hash }),
    ...rewriteOf(route, match),
    ...(mirrors.length === 0
      ? {}
      : {
          requestMirrorPolicies: mirrors.map(({ destination, percentage }) => ({
            cluster: clusterOf(destination, view, port),
            runtimeFraction: { defaultValue: perMillion(percentage?.value ?? 100) },
            // Without this the copy would be traced whether or not the request is.
            traceSampled: false,
            disableShadowHostSuffixAppend: true,
          })),
        }),
  };
}

function clusters(route: NonNullable<HttpRoute["route"]>, { view, port }: RouteContext): RouteActionJson {
  const cluster = (destination: Destination): string => clusterOf(destination, view, port);
  const [first, ...others] = route;
  if (first !== undefined && others.length === 0) return { cluster: cluster(first.destination) };
  return {
    weightedClusters: {
      clusters: route.flatMap(({ destination, weight = 0, headers }) => {
        if (weight === 0) return [];
        const host = hostOf(headers?.request?.set);
        return [
          {
            name: cluster(destination),
            weight,
            ...headerOperations([headers]),
            ...(host === undefined ? {} : { hostRewriteLiteral: host }),
          },
        ];
      }),
    },
  };
}

/** The host that a rule sets in place of a header. */
function hostOf(set: Readonly<Record<string, string>> | undefined): string | undefined {
  return Object.entries(set ?? {}).find(([name]) => isHostHeader(name))?.[1];
}

function rewriteOf(route: HttpRoute, match: HttpMatch | undefined): RouteActionJson {
  const { rewrite, headers, route: destinations = [] } = route;
  const [only] = destinations.length === 1 ? destinations : [];
  const host = rewrite?.authority ?? hostOf(headers?.request?.set) ?? hostOf(only?.headers?.request?.set);
  const isByParts = route.origin !== undefined && rewrite?.uri !== undefined;
  return {
    ...(isByParts ? prefixRewrite(rewrite.uri, match) : pathRewrite(rewrite, match)),
    ...(host === undefined ? {} : { hostRewriteLiteral: host }),
  };
}

function pathRewrite(rewrite: HttpRoute["rewrite"], match: HttpMatch | undefined): RouteActionJson {
  if (rewrite?.uriRegexRewrite !== undefined) {
    const { match: regex, rewrite: substitution = "" } = rewrite.uriRegexRewrite;
    return { regexRewrite: { pattern: { regex }, substitution } };
  }
  if (rewrite?.uri === undefined) return {};
  const isWhole = match?.uri?.exact !== undefined || match?.uri?.regex !== undefined;
  if (!isWhole) return { prefixRewrite: rewrite.uri };
  // The whole path is replaced; a backslash in it is none of RE2's.
  const substitution = rewrite.uri.replaceAll("\\", "\\\\");
  return { regexRewrite: { pattern: { regex: "^.*$" }, substitution } };
}

/** Of whole parts of a path: what is left of it keeps one slash before it. */
export function prefixRewrite(
  uri: string,
  match: HttpMatch | undefined,
): Pick<RouteActionJson, "prefixRewrite" | "regexRewrite"> {
  const prefix = match?.uri?.prefix ?? "/";
  if (prefix === "/") return { prefixRewrite: uri === "/" ? uri : `${uri}/` };
  if (uri !== "/") return { prefixRewrite: uri };
  const quoted = prefix.replace(/\/$/, "").replaceAll(/[.+*?^${}()|[\]\\]/g, "\\$&");
  return { regexRewrite: { pattern: { regex: `^${quoted}(/?)(.*)` }, substitution: "/\\2" } };
}

/** Undefined when nothing is repeated. Where a rule routes by a consistent hash, no endpoint is avoided. */
function retryPolicy(retries: HttpRoute["retries"], isHashed: boolean): RetryPolicyJson | undefined {
  const attempts = retries === undefined ? 2 : (retries.attempts ?? 0);
  if (attempts === 0) return undefined;
  const parts = (retries?.retryOn ?? defaultRetryOn).split(",").map((part) => part.trim());
  const isStatus = (part: string): boolean => /^\d+$/.test(part);
  const statuses = [...new Set(parts.filter(isStatus).map(Number))];
  const conditions = new Set(parts.filter((part) => !isStatus(part)));
  if (statuses.length > 0) conditions.add("retriable-status-codes");
  return {
    retryOn: [...conditions].join(),
    numRetries: attempts,
    ...(statuses.length === 0 ? {} : { retriableStatusCodes: statuses }),
    ...(retries?.backoff === undefined
      ? {}
      : { retryBackOff: { baseInterval: jsonDuration(retries.backoff) } }),
    ...(retries?.perTryTimeout === undefined ? {} : { perTryTimeout: jsonDuration(retries.perTryTimeout) }),
    ...(retries?.retryRemoteLocalities === true
      ? {
          retryPriority: {
            name: "envoy.retry_priorities.previous_priorities",
            typedConfig: packed(PreviousPrioritiesConfigSchema, { updateFrequency: 2 }),
          },
        }
      : {}),
    ...(isHashed
      ? {}
      : {
          retryHostPredicate: [
            {
              name: "envoy.retry_host_predicates.previous_hosts",
              typedConfig: packed(PreviousHostsPredicateSchema, {}),
            },
          ],
        }),
    hostSelectionRetryMaxAttempts: "5",
  };
}

function retriesAs(policy: RetryPolicyJson | undefined): Pick<RouteActionJson, "retryPolicy"> {
  return policy === undefined ? {} : { retryPolicy: policy };
}

function hashPoliciesOf(
  { host, subset = "", port: said }: Destination,
  view: RouteView,
  called: number,
): readonly RouteAction_HashPolicyJson[] {
  const service = view.serviceOf(host);
  const number = said?.number ?? called;
  const [only] = service?.ports ?? [];
  const port = service?.ports.find((each) => each.number === number) ?? only;
  return service === undefined || port === undefined ? [] : hashPolicies(view, service, port, subset);
}

/** What a consistent hash is made of. */
function hashPolicies(
  { ruleOf }: RouteView,
  service: Service,
  port: ServicePort,
  subset: string,
): RouteAction_HashPolicyJson[] {
  const hash = policiesOf(ruleOf(service), subset, port).loadBalancer?.consistentHash;
  if (hash === undefined) return [];
  const { httpHeaderName, httpCookie, useSourceIp, httpQueryParameterName } = hash;
  if (httpHeaderName !== undefined) return [{ header: { headerName: httpHeaderName } }];
  if (httpCookie !== undefined) {
    const { name, path, ttl } = httpCookie;
    return [
      {
        cookie: {
          name,
          ...(path === undefined ? {} : { path }),
          ...(ttl === undefined ? {} : { ttl: jsonDuration(ttl) }),
        },
      },
    ];
  }
  if (useSourceIp === true) return [{ connectionProperties: { sourceIp: true } }];
  return httpQueryParameterName === undefined ? [] : [{ queryParameter: { name: httpQueryParameterName } }];
}
