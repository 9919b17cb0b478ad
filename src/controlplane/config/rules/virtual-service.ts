/** What spans several fields of a VirtualService. */
import type { HttpMatch, HttpRoute, StringMatch, TlsRoute, VirtualServiceSpec } from "../objects.ts";
import { isCovered } from "../host-names.ts";
import type { Complaint } from "./complaint.ts";

/** Envoy's sum of weights is a uint32. */
const maxWeightSum = 4_294_967_295;

/** Every broken rule. */
export function virtualService(spec: VirtualServiceSpec): readonly Complaint[] {
  const { hosts, gateways = ["mesh"], http = [], tcp = [], tls = [] } = spec;
  if (hosts.length === 0) return delegate(spec);
  const isInMesh = gateways.includes("mesh");
  const complaints: Complaint[] = [...overlapping(hosts)];
  if (http.length + tcp.length + tls.length === 0)
    complaints.push(["spec", "needs at least one of http, tcp and tls"]);
  if (isInMesh && hosts.includes("*"))
    complaints.push(["spec.hosts", "* is for gateways only: name the hosts, or the gateways"]);
  for (const [index, route] of http.entries()) complaints.push(...httpRoute(route, `spec.http[${index}]`));
  for (const [index, { route }] of tcp.entries())
    complaints.push(...weights(route, `spec.tcp[${index}].route`));
  for (const [index, route] of tls.entries())
    complaints.push(...tlsRoute(route, hosts, `spec.tls[${index}]`));
  return [...complaints, ...unreachable(http)];
}

/** A host that another of them stands for as well: whose routes its requests take would be chance. */
function overlapping(hosts: readonly string[]): readonly Complaint[] {
  return hosts.flatMap((host, index): readonly Complaint[] => {
    const other = hosts
      .slice(0, index)
      .find((earlier) => isCovered(host, earlier) || isCovered(earlier, host));
    if (other === undefined) return [];
    const message =
      other === host
        ? `${host} is there already: make it unique`
        : `${host} overlaps with ${other}: keep one of them, or give each a VirtualService of its own`;
    return [[`spec.hosts[${index}]`, message]];
  });
}

function tlsRoute({ match, route }: TlsRoute, hosts: readonly string[], path: string): readonly Complaint[] {
  const strangers = match.flatMap(({ sniHosts }, at) =>
    sniHosts.flatMap((name, index): readonly Complaint[] =>
      hosts.some((host) => isCovered(name, host))
        ? []
        : [
            [
              `${path}.match[${at}].sniHosts[${index}]`,
              `${name} is none of the hosts of this VirtualService (${hosts.join(", ")}): add it to spec.hosts`,
            ],
          ],
    ),
  );
  return [...strangers, ...weights(route, `${path}.route`)];
}

/** Where its routes are taken is the matter of who delegates to it. */
function delegate({ gateways, http = [], tcp = [], tls = [] }: VirtualServiceSpec): readonly Complaint[] {
  const only = "does not go without hosts: a VirtualService to delegate to has http only";
  return [
    ...(http.length === 0 ? [["spec.hosts", "is missing"] as const] : []),
    ...(gateways === undefined ? [] : [["spec.gateways", only] as const]),
    ...(tcp.length === 0 ? [] : [["spec.tcp", only] as const]),
    ...(tls.length === 0 ? [] : [["spec.tls", only] as const]),
    ...http.flatMap((route, index): readonly Complaint[] => {
      const path = `spec.http[${index}]`;
      return route.delegate === undefined
        ? httpRoute(route, path)
        : [
            [
              `${path}.delegate`,
              "does not go in a VirtualService that is delegated to itself: give it hosts",
            ],
          ];
    }),
    ...unreachable(http),
  ];
}

function httpRoute(route: HttpRoute, path: string): readonly Complaint[] {
  const complaints: Complaint[] = [];
  const { redirect, directResponse, rewrite, fault } = route;
  const destinations = route.route ?? [];
  const isElsewhere = redirect !== undefined || directResponse !== undefined;
  const chosen = [destinations[0], redirect, directResponse].filter((part) => part !== undefined).length;
  if (route.delegate !== undefined && chosen > 0)
    complaints.push([`${path}.delegate`, "does not go with a route, a redirect or a directResponse"]);
  if (route.delegate === undefined && chosen === 0)
    complaints.push([`${path}.route`, "is missing: or give a redirect, a directResponse or a delegate"]);
  if (chosen > 1) complaints.push([path, "may have only one of route, redirect and directResponse"]);
  if (isElsewhere && rewrite !== undefined)
    complaints.push([`${path}.rewrite`, "does not go with a redirect or a directResponse"]);
  if (isElsewhere && fault !== undefined)
    complaints.push([`${path}.fault`, "does not go with a redirect or a directResponse"]);
  if (rewrite !== undefined && Object.keys(rewrite).length === 0)
    complaints.push([`${path}.rewrite`, "needs a uri, an authority or a uriRegexRewrite"]);
  if (rewrite?.uri !== undefined && rewrite.uriRegexRewrite !== undefined)
    complaints.push([`${path}.rewrite.uri`, "and uriRegexRewrite exclude each other: keep one of them"]);
  if (route.mirror !== undefined && (route.mirrors ?? []).length > 0)
    complaints.push([`${path}.mirrors`, "and mirror exclude each other: keep one of them"]);
  if (fault !== undefined && fault.delay === undefined && fault.abort === undefined)
    complaints.push([`${path}.fault`, "needs a delay or an abort"]);
  const abort = fault?.abort;
  if (abort !== undefined && (abort.httpStatus === undefined) === (abort.grpcStatus === undefined))
    complaints.push([`${path}.fault.abort`, "needs exactly one of httpStatus and grpcStatus"]);
  if (redirect !== undefined && Object.keys(redirect).every((name) => name === "redirectCode"))
    complaints.push([
      `${path}.redirect`,
      "leads nowhere else: give it a uri, a prefixRewrite, an authority, a scheme or a port",
    ]);
  if (redirect?.uri !== undefined && redirect.prefixRewrite !== undefined)
    complaints.push([`${path}.redirect.prefixRewrite`, "and uri exclude each other: keep one of them"]);
  const { attempts = 0, ...rest } = route.retries ?? {};
  if (attempts === 0 && Object.keys(rest).length > 0)
    complaints.push([
      `${path}.retries.attempts`,
      "is 0, which switches retries off: set it, or remove the rest",
    ]);
  const code = redirect?.redirectCode ?? 301;
  if (![301, 302, 303, 307, 308].includes(code))
    complaints.push([`${path}.redirect.redirectCode`, `${code} is none of 301, 302, 303, 307 and 308`]);
  complaints.push(...headerNames(route.headers, `${path}.headers`));
  for (const [at, { headers }] of destinations.entries())
    complaints.push(...headerNames(headers, `${path}.route[${at}].headers`));
  for (const [at, match] of (route.match ?? []).entries())
    complaints.push(...conditions(match, `${path}.match[${at}]`));
  for (const [at, origin] of (route.corsPolicy?.allowOrigins ?? []).entries())
    complaints.push(...oneOf(origin, `${path}.corsPolicy.allowOrigins[${at}]`));
  return [...complaints, ...weights(destinations, `${path}.route`)];
}

/** Envoy lets nobody change a pseudo header, but the host. */
function headerNames(headers: HttpRoute["headers"], path: string): readonly Complaint[] {
  return (["request", "response"] as const).flatMap((side) => {
    const { set = {}, add = {}, remove = [] } = headers?.[side] ?? {};
    const isHost = (name: string): boolean => ["host", ":authority"].includes(name.toLowerCase());
    const bad = [
      ...Object.keys(set).filter((name) => name.startsWith(":") && !(side === "request" && isHost(name))),
      ...Object.keys(add).filter((name) => name.startsWith(":") || (side === "request" && isHost(name))),
      ...remove.filter((name) => name.startsWith(":") || (side === "request" && isHost(name))),
    ];
    return bad.map((name): Complaint => [`${path}.${side}`, `${name} cannot be changed: use rewrite`]);
  });
}

function weights(
  route: readonly { readonly weight?: number | undefined }[],
  path: string,
): readonly Complaint[] {
  const total = route.reduce((sum, { weight }) => sum + (weight ?? 0), 0);
  if (total > maxWeightSum)
    return [[path, `has weights that add up to more than ${maxWeightSum}: divide all of them`]];
  if (route.length > 1 && total === 0)
    return [[path, "has weights that add up to 0: give at least one destination a weight"]];
  return [];
}

function conditions(match: HttpMatch, path: string): readonly Complaint[] {
  const { uri, scheme, method, authority, headers = {}, withoutHeaders = {}, queryParams = {} } = match;
  const single = Object.entries({ uri, scheme, method, authority }).flatMap(([name, value]) =>
    value === undefined ? [] : oneOf(value, `${path}.${name}`),
  );
  // `{}` asks whether it is there at all.
  const several = Object.entries({ headers, withoutHeaders, queryParams }).flatMap(([name, values]) =>
    Object.entries(values).flatMap(([key, value]) =>
      Object.keys(value).length === 0 ? [] : oneOf(value, `${path}.${name}.${key}`),
    ),
  );
  return [...single, ...several];
}

function oneOf(value: StringMatch, path: string): readonly Complaint[] {
  const chosen = [value.exact, value.prefix, value.regex].filter((part) => part !== undefined).length;
  return chosen === 1 ? [] : [[path, "needs exactly one of exact, prefix and regex"]];
}

/** Routes after one that takes everything. */
function unreachable(http: readonly HttpRoute[]): readonly Complaint[] {
  const last = http.findIndex(
    ({ match = [] }) => match.length === 0 || match.some((conditions) => takesAll(conditions)),
  );
  if (last < 0) return [];
  return http
    .slice(last + 1)
    .map((_, index): Complaint => [
      `spec.http[${last + 1 + index}]`,
      `is never reached: http[${last}] before it takes every request`,
      "warning",
      "IST0130",
    ]);
}

function takesAll({ name: _name, uri, ...rest }: HttpMatch): boolean {
  return Object.keys(rest).length === 0 && (uri === undefined || uri.prefix === "/");
}
