/**
 * One HTTPRoute of a VirtualService as routes of Envoy's.
 */
import type { RouteJson } from "../../proto/envoy/envoy/config/route/v3/route_components_pb.js";
import type { HttpMatch, HttpRoute } from "../config/objects.ts";
import { headerOperations } from "./header-operations.ts";
import { prefixRewrite, routeAction } from "./route-action.ts";
import { filtersOf } from "./route-filters.ts";
import { routeMatch } from "./route-match.ts";
import { isForCaller, isForGateway, type MatchedCaller, type VirtualService } from "./rule-match.ts";
import type { Lookups } from "./read-memo.ts";

/** What routes are made of besides their rule and service. */
export interface RouteView extends Lookups {
  /** Undefined where no match asks for the caller. */
  readonly proxy: MatchedCaller | undefined;
}

/** For whom, and at which port. */
export interface RouteContext {
  readonly view: RouteView;
  readonly port: number;
  /** The Gateway whose routes they are; undefined for those of sidecars. */
  readonly gateway?: string;
  /** Requests come by TLS. */
  readonly isTls?: boolean;
}

/** Routes in the order in which they count, up to the first that takes everything. */
export function httpRoutes(rule: VirtualService, context: RouteContext): readonly RouteJson[] {
  const routes: RouteJson[] = [];
  for (const route of rule.spec.http ?? []) {
    const matches = route.match === undefined || route.match.length === 0 ? [undefined] : route.match;
    // Matches are alternatives, and the first that fits wins.
    for (const match of matches) {
      if (match !== undefined && !isFor(match, context)) continue;
      routes.push(httpRoute(route, match, rule, context));
      if (match === undefined) return routes;
    }
  }
  return routes;
}

/** Of whom nothing is asked. */
const nobody: MatchedCaller = { namespace: "", labels: {} };

function isFor(match: HttpMatch, { view, port, gateway }: RouteContext): boolean {
  return gateway === undefined
    ? isForCaller(match, view.proxy ?? nobody, port)
    : isForGateway(match, gateway, port, view.proxy);
}

function httpRoute(
  route: HttpRoute,
  match: HttpMatch | undefined,
  rule: VirtualService,
  context: RouteContext,
): RouteJson {
  const name = `${route.name ?? ""}${match?.name === undefined ? "" : `.${match.name}`}`;
  const { origin } = route;
  const filters = filtersOf(route);
  // What is said of the one destination is said of the route.
  const [only, ...others] = route.route ?? [];
  const headers = [route.headers, ...(others.length === 0 ? [only?.headers] : [])];
  const to = target(route, match, context);
  return {
    ...(name === "" ? {} : { name }),
    match: match === undefined ? { prefix: "/" } : routeMatch(match, origin !== undefined),
    ...to,
    metadata: { filterMetadata: { istio: { config: configPath(rule, origin) } } },
    decorator: {
      operation: `${operationOf(to, origin?.name ?? rule.name, context)}${pathOf(match, origin !== undefined)}`,
    },
    ...headerOperations(headers),
    ...(filters === undefined ? {} : { typedPerFilterConfig: filters }),
  };
}

/** Where Kubernetes has the object that was written. */
function configPath({ namespace, name }: VirtualService, origin: HttpRoute["origin"]): string {
  if (origin === undefined)
    return `/apis/networking.istio.io/v1/namespaces/${namespace}/virtual-service/${name}`;
  const kind = origin.kind === "GRPCRoute" ? "grpc-route" : "http-route";
  return `/apis/gateway.networking.k8s.io/v1/namespaces/${origin.namespace}/${kind}/${origin.name}`;
}

/** What traces call it: the one cluster that it leads to, else the rule. */
function operationOf({ route }: Target, rule: string, { port }: RouteContext): string {
  const [, number, , host] = route?.cluster?.split("|") ?? [];
  return host === undefined ? `${rule}:${port}` : `${host}:${number}`;
}

/** Of a prefix of whole parts nothing is said, as in Istio. */
function pathOf(match: HttpMatch | undefined, isByParts: boolean): string {
  const { uri } = match ?? {};
  const prefix = isByParts ? "/" : uri?.prefix;
  return uri?.exact ?? uri?.regex ?? (prefix === undefined ? "/*" : `${prefix}*`);
}

type Target = Pick<RouteJson, "route" | "redirect" | "directResponse">;

function target(route: HttpRoute, match: HttpMatch | undefined, context: RouteContext): Target {
  const { redirect, directResponse } = route;
  if (redirect !== undefined) {
    const code = redirect.redirectCode ?? 301;
    return {
      redirect: {
        ...(redirect.uri === undefined ? {} : { pathRedirect: redirect.uri }),
        ...redirectedPrefix(route, match),
        ...(redirect.authority === undefined ? {} : { hostRedirect: redirect.authority }),
        ...(redirect.scheme === undefined ? {} : { schemeRedirect: redirect.scheme }),
        ...portOf(redirect, context),
        ...(code === 301 ? {} : { responseCode: redirectCodes[code] ?? "FOUND" }),
      },
    };
  }
  if (directResponse !== undefined) {
    const body = directResponse.body?.string;
    return {
      directResponse: {
        status: directResponse.status,
        ...(body === undefined ? {} : { body: { inlineString: body } }),
      },
    };
  }
  return { route: routeAction(route, match, context) };
}

function redirectedPrefix(
  { redirect, origin }: HttpRoute,
  match: HttpMatch | undefined,
): Pick<NonNullable<RouteJson["redirect"]>, "prefixRewrite" | "regexRewrite"> {
  if (redirect?.prefixRewrite === undefined) return {};
  return origin === undefined
    ? { prefixRewrite: redirect.prefixRewrite }
    : prefixRewrite(redirect.prefixRewrite, match);
}

type Redirect = NonNullable<HttpRoute["redirect"]>;

/** The codes that Envoy answers a redirect with. */
const redirectCodes: Readonly<
  Record<number, "FOUND" | "SEE_OTHER" | "TEMPORARY_REDIRECT" | "PERMANENT_REDIRECT">
> = { 302: "FOUND", 303: "SEE_OTHER", 307: "TEMPORARY_REDIRECT", 308: "PERMANENT_REDIRECT" };

/** Envoy takes no port from the request, but a route is for one: `called`. A scheme's own port is left out. */
function portOf(
  { port, derivePort, scheme }: Redirect,
  { port: called, isTls = false }: RouteContext,
): { readonly portRedirect?: number } {
  const wanted = port ?? (derivePort === "FROM_REQUEST_PORT" ? called : undefined);
  const isImplied = wanted === ((scheme ?? (isTls ? "https" : "http")) === "https" ? 443 : 80);
  return wanted === undefined || isImplied ? {} : { portRedirect: wanted };
}
