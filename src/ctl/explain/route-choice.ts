/**
 * Which virtual host and which route of a route configuration a request gets, by Envoy's rules (RouteConfiguration). Pure.
 */
import { at, listAt, textAt } from "../../lifecycle/json-path.ts";
import { matchesHeader, matchesQuery, matchesRegex, replacedByRegex } from "./matchers.ts";
import { pathOf, type Request } from "./request.ts";

/** The virtual host; undefined where none has such a domain, which is a 404. */
export function virtualHostFor(
  config: unknown,
  authority: string,
): { readonly host: unknown; readonly domain: string } | undefined {
  const ignoresPort = at(config, "ignore_port_in_host_matching") === true;
  const name = (ignoresPort ? authority.replace(/:\d+$/, "") : authority).toLowerCase();
  const hosts = listAt(config, "virtual_hosts").flatMap((host) =>
    listAt(host, "domains").map((domain) => ({ host, domain: String(domain) })),
  );
  const isSuffix = ({ domain }: { readonly domain: string }): boolean =>
    domain.length > 1 &&
    domain.startsWith("*") &&
    name.endsWith(domain.slice(1).toLowerCase()) &&
    name.length > domain.length - 1;
  const isPrefix = ({ domain }: { readonly domain: string }): boolean =>
    domain.length > 1 &&
    domain.endsWith("*") &&
    name.startsWith(domain.slice(0, -1).toLowerCase()) &&
    name.length > domain.length - 1;
  // The longest of each kind, and each kind before the next.
  const longest = hosts.toSorted((a, b) => b.domain.length - a.domain.length);
  return (
    hosts.find(({ domain }) => domain.toLowerCase() === name) ??
    longest.find(isSuffix) ??
    longest.find(isPrefix) ??
    hosts.find(({ domain }) => domain === "*")
  );
}

/** The first route that matches, and its place in the list; undefined is a 404. */
export function routeFor(
  host: unknown,
  request: Request,
): { readonly route: unknown; readonly index: number } | undefined {
  const routes = listAt(host, "routes");
  const index = routes.findIndex((route) => matchesRoute(at(route, "match"), request));
  return index < 0 ? undefined : { route: routes[index], index };
}

function matchesRoute(match: unknown, request: Request): boolean {
  return (
    matchesPath(match, pathOf(request)) &&
    listAt(match, "headers").every((matcher) => matchesHeader(matcher, request)) &&
    listAt(match, "query_parameters").every((matcher) => matchesQuery(matcher, request))
  );
}

function matchesPath(match: unknown, path: string): boolean {
  const ignoresCase = at(match, "case_sensitive") === false;
  const fold = (text: string): string => (ignoresCase ? text.toLowerCase() : text);
  const [exact, prefix, separated] = ["path", "prefix", "path_separated_prefix"].map((name) =>
    textAt(match, name),
  );
  if (exact !== undefined) return fold(path) === fold(exact);
  if (prefix !== undefined) return fold(path).startsWith(fold(prefix));
  if (separated !== undefined)
    return fold(path) === fold(separated) || fold(path).startsWith(`${fold(separated)}/`);
  const regex = textAt(match, "safe_regex", "regex");
  return regex !== undefined && matchesRegex(ignoresCase ? `(?i)${regex}` : regex, path);
}

/** What a route makes of a request on its way: path, host and headers. */
export function rewritten(request: Request, route: unknown, target: unknown): Request {
  const action = at(route, "route");
  const [, query] = /(\?.*)?$/s.exec(request.path) ?? [];
  const path = pathOf(request);
  const prefix = textAt(action, "prefix_rewrite");
  const regex = textAt(action, "regex_rewrite", "pattern", "regex");
  const [matched = ""] = ["prefix", "path_separated_prefix", "path"].flatMap(
    (name) => textAt(route, "match", name) ?? [],
  );
  const changed =
    prefix !== undefined
      ? prefix + path.slice(matched.length)
      : regex !== undefined
        ? replacedByRegex(path, regex, textAt(action, "regex_rewrite", "substitution") ?? "")
        : path;
  const headers = new Map(Object.entries(request.headers));
  // The most specific ones are applied first; what a less specific one overwrites is overwritten.
  for (const holder of [target, route]) {
    for (const name of listAt(holder, "request_headers_to_remove"))
      headers.delete(String(name).toLowerCase());
    for (const option of listAt(holder, "request_headers_to_add")) {
      const name = (textAt(option, "header", "key") ?? "").toLowerCase();
      const value = textAt(option, "header", "value") ?? "";
      const before = headers.get(name);
      const appends =
        (textAt(option, "append_action") ?? "APPEND_IF_EXISTS_OR_ADD") === "APPEND_IF_EXISTS_OR_ADD";
      headers.set(name, appends && before !== undefined ? `${before},${value}` : value);
    }
  }
  return {
    ...request,
    authority: textAt(action, "host_rewrite_literal") ?? request.authority,
    path: changed + (query ?? ""),
    headers: Object.fromEntries(headers),
  };
}
