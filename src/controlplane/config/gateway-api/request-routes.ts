/**
 * Rules of HTTPRoute and GRPCRoute as routes of a VirtualService: one for each of a rule's matches, for the order of
 * all routes of a host is decided match by match.
 */
import type {
  ConfigObject,
  GrpcRouteRule,
  HttpFilter,
  HttpMatch,
  HttpRoute,
  HttpRouteRule,
  StringMatch,
} from "../objects.ts";
import { backendOf, type BackendContext, weighed } from "./backends.ts";
import type { Fault } from "./conditions.ts";
import { byName, filtered } from "./filters.ts";
import { originOf } from "./listeners.ts";

export type RequestRoute = Extract<ConfigObject, { kind: "HTTPRoute" | "GRPCRoute" }>;

/** What comes of a route's rules. */
export interface RequestRoutes {
  readonly routes: readonly HttpRoute[];
  readonly faults: readonly Fault[];
}

export function requestRoutes(route: RequestRoute, context: Omit<BackendContext, "route">): RequestRoutes {
  const parts =
    route.kind === "HTTPRoute"
      ? // Kubernetes takes a rule for everything where none is said.
        (route.spec.rules ?? [{}]).map((rule) => ({ rule, matches: httpMatches(rule), times: timesOf(rule) }))
      : (route.spec.rules ?? [{}]).map((rule) => ({ rule, matches: grpcMatches(rule), times: {} }));
  const made = parts.map((part, index) => ofRule(part, index, { ...context, route }));
  return {
    routes: made.flatMap(({ routes }) => routes),
    faults: made.flatMap(({ faults }) => faults),
  };
}

interface RuleParts {
  readonly rule: HttpRouteRule | GrpcRouteRule;
  readonly matches: readonly HttpMatch[];
  readonly times: Pick<HttpRoute, "retries" | "timeout">;
}

function ofRule({ rule, matches, times }: RuleParts, index: number, context: BackendContext): RequestRoutes {
  const { route } = context;
  const path = `spec.rules[${index}]`;
  const refs = rule.backendRefs ?? [];
  const { parts, fails, faults } = filtered(rule.filters ?? [], path, context);
  const destinations = weighed<(typeof refs)[number]>(refs).map(({ ref, index: at, weight }) => {
    const where = `${path}.backendRefs[${at}]`;
    const backend = backendOf(ref, where, context);
    const own = backendHeaders(ref.filters ?? [], where, context);
    return {
      to: {
        destination: own.fault === undefined ? backend.destination : { host: "no-backend.invalid" },
        ...(weight === undefined ? {} : { weight }),
        ...(own.headers === undefined ? {} : { headers: own.headers }),
      },
      faults: [backend.fault, own.fault].filter((fault) => fault !== undefined),
    };
  });
  const isRedirected = parts.redirect !== undefined;
  const { rewrite: _rewrite, mirrors: _mirrors, ...rest } = parts;
  const action: Partial<HttpRoute> =
    fails || (destinations.length === 0 && !isRedirected)
      ? { directResponse: { status: 500 } }
      : isRedirected
        ? rest
        : { ...parts, route: destinations.map(({ to }) => to) };
  const made = {
    name: rule.name ?? `${route.namespace}.${route.name}.${index}`,
    ...(isRedirected ? {} : times),
    ...action,
    origin: originOf(route),
  };
  return {
    routes: matches.map((match) => ({ ...made, match: [match] })),
    faults: [...faults, ...destinations.flatMap((each) => each.faults)],
  };
}

/** Of the filters of one backend those of headers are applied; requests to one with any other fail. */
function backendHeaders(
  filters: readonly HttpFilter[],
  path: string,
  context: BackendContext,
): { readonly headers?: HttpRoute["headers"]; readonly fault?: Fault } {
  const other = filters.findIndex(
    ({ type }) => type !== "RequestHeaderModifier" && type !== "ResponseHeaderModifier",
  );
  if (other >= 0) {
    const message = `${filters[other]?.type} is no filter for one backend: put it into the rule; requests to this one fail (500)`;
    const at = `${path}.filters[${other}]`;
    return { fault: { path: at, type: "Accepted", reason: "UnsupportedValue", message } };
  }
  const { parts } = filtered(filters, path, context);
  return parts.headers === undefined ? {} : { headers: parts.headers };
}

/** Attempts of a rule that says nothing of their number (Istio's default). */
const defaultAttempts = 2;

function timesOf(rule: HttpRouteRule): Pick<HttpRoute, "retries" | "timeout"> {
  const { timeouts = {}, retry } = rule;
  const [request, backendRequest] = [timeouts.request, timeouts.backendRequest].map((time) =>
    time === undefined || isNone(time) ? undefined : time,
  );
  if (retry === undefined) {
    const timeout = backendRequest ?? request;
    return timeout === undefined ? {} : { timeout };
  }
  const { codes = [], attempts = defaultAttempts, backoff } = retry;
  const conditions = ["connect-failure", "refused-stream", "unavailable", "cancelled"];
  return {
    ...(request === undefined ? {} : { timeout: request }),
    retries:
      attempts === 0
        ? { attempts }
        : {
            attempts,
            retryOn: [...conditions, ...codes].join(),
            ...(backendRequest === undefined ? {} : { perTryTimeout: backendRequest }),
            ...(backoff === undefined ? {} : { backoff }),
          },
  };
}

function isNone(time: string): boolean {
  return !/[1-9]/.test(time);
}

function httpMatches({ matches = [] }: HttpRouteRule): readonly HttpMatch[] {
  return (matches.length === 0 ? [{}] : matches).map(({ path, headers, queryParams, method }) => ({
    uri: uriOf(path ?? {}),
    ...(headers === undefined ? {} : { headers: byName(headers.map(compared)) }),
    ...(queryParams === undefined ? {} : { queryParams: firstOf(queryParams.map(compared)) }),
    ...(method === undefined ? {} : { method: { exact: method } }),
  }));
}

function uriOf({
  type = "PathPrefix",
  value = "/",
}: NonNullable<NonNullable<HttpRouteRule["matches"]>[number]["path"]>): StringMatch {
  switch (type) {
    case "Exact":
      return { exact: value };
    case "RegularExpression":
      return { regex: value };
    case "PathPrefix":
      return { prefix: value.replace(/(?<=.)\/$/, "") };
  }
}

interface Compared {
  readonly name: string;
  readonly type?: "Exact" | "RegularExpression" | undefined;
  readonly value: string;
}

function compared({ name, type, value }: Compared): { readonly name: string; readonly value: StringMatch } {
  return { name, value: type === "RegularExpression" ? { regex: value } : { exact: value } };
}

/** Parameters are told apart by capitals, headers are not. */
function firstOf(
  items: readonly { readonly name: string; readonly value: StringMatch }[],
): Readonly<Record<string, StringMatch>> {
  return Object.fromEntries(items.toReversed().map(({ name, value }) => [name, value]));
}

function grpcMatches({ matches = [] }: GrpcRouteRule): readonly HttpMatch[] {
  return (matches.length === 0 ? [{}] : matches).map(({ method, headers }) => ({
    uri: method === undefined ? { prefix: "/" } : grpcUri(method),
    ...(headers === undefined ? {} : { headers: byName(headers.map(compared)) }),
  }));
}

/** A method of gRPC is the path `/SERVICE/METHOD`. */
function grpcUri({
  type = "Exact",
  service,
  method,
}: NonNullable<NonNullable<GrpcRouteRule["matches"]>[number]["method"]>): StringMatch {
  if (type === "Exact" && service !== undefined)
    return method === undefined ? { prefix: `/${service}/` } : { exact: `/${service}/${method}` };
  const name = type === "Exact" ? method?.replaceAll(/[.+*?^${}()|[\]\\]/g, "\\$&") : method;
  // An alternative of one of them is none of the whole path.
  return { regex: `/(?:${service ?? "[^/]+"})/(?:${name ?? ".+"})` };
}
