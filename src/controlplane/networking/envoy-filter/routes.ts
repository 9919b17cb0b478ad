/** Route configurations, their virtual hosts and routes, as EnvoyFilters change them. */
import type { Json, JsonObject } from "../../config/json-value.ts";
import type { Patch } from "../../model/patches.ts";
import { isMerging, listOf, merged, type Patches, patchesTo } from "./apply.ts";

/** One of them. */
export function patchedRoutes(given: JsonObject, patches: Patches): JsonObject {
  if (patches.list.length === 0) return given;
  let configuration = given;
  const isMatched = (patch: Patch): boolean => isConfigurationMatched(configuration["name"], patch, patches);
  for (const patch of patchesTo(patches, "ROUTE_CONFIGURATION")) {
    if (!isMerging(patch) || !isMatched(patch)) continue;
    patches.applied.add(patch.id);
    configuration = merged(patch, configuration);
  }
  const ofHosts = patchesTo(patches, "VIRTUAL_HOST").filter(isMatched);
  const ofRoutes = patchesTo(patches, "HTTP_ROUTE").filter(isMatched);
  if (ofHosts.length === 0 && ofRoutes.length === 0) return configuration;
  const hosts = listOf(configuration["virtualHosts"]).flatMap((host) =>
    patchedHost(host, ofHosts, patches).map((each) => withRoutes(each, ofRoutes, patches)),
  );
  const added = ofHosts.filter(({ operation }) => operation === "ADD");
  for (const { id } of added) patches.applied.add(id);
  return { ...configuration, virtualHosts: [...hosts, ...added.map(({ value }) => value)] };
}

function patchedHost(
  given: JsonObject,
  ofHosts: readonly Patch[],
  { applied }: Patches,
): readonly JsonObject[] {
  let host = given;
  for (const patch of ofHosts) {
    if (patch.operation === "ADD" || !isHostMatched(host, patch)) continue;
    applied.add(patch.id);
    if (patch.operation === "REMOVE") return [];
    if (patch.operation === "REPLACE") host = patch.value;
    else if (isMerging(patch)) host = merged(patch, host);
  }
  return [host];
}

const adding: readonly Patch["operation"][] = ["ADD", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST"];

function withRoutes(host: JsonObject, ofRoutes: readonly Patch[], patches: Patches): JsonObject {
  const own = ofRoutes.filter((patch) => isHostMatched(host, patch));
  if (own.length === 0) return host;
  let routes: readonly JsonObject[] = listOf(host["routes"]).flatMap((route) =>
    patchedRoute(route, own, patches),
  );
  for (const patch of own.filter(({ operation }) => adding.includes(operation)))
    routes = withAdded(routes, patch, patches);
  return { ...host, routes };
}

function patchedRoute(given: JsonObject, own: readonly Patch[], { applied }: Patches): readonly JsonObject[] {
  let route = given;
  for (const patch of own) {
    if (!(isMerging(patch) || patch.operation === "REMOVE") || !isRouteMatched(route, patch)) continue;
    applied.add(patch.id);
    if (patch.operation === "REMOVE") return [];
    route = merged(patch, route);
  }
  return [route];
}

function withAdded(routes: readonly JsonObject[], patch: Patch, { applied }: Patches): readonly JsonObject[] {
  const { operation, value, match, id } = patch;
  const at =
    match.routeConfiguration?.vhost?.route === undefined
      ? operation === "INSERT_AFTER"
        ? routes.length - 1
        : 0
      : routes.findIndex((route) => isRouteMatched(route, patch));
  if (operation !== "ADD" && at < 0 && routes.length > 0) return routes;
  applied.add(id);
  if (operation === "ADD") return [...routes, value];
  if (operation === "INSERT_FIRST") return [value, ...routes];
  return routes.toSpliced(operation === "INSERT_AFTER" ? at + 1 : at, 0, value);
}

function isConfigurationMatched(name: Json | undefined, { match }: Patch, { context }: Patches): boolean {
  const wanted = match.routeConfiguration;
  if (wanted === undefined) return true;
  const own = typeof name === "string" ? name : "";
  if (wanted.name !== undefined && wanted.name !== own) return false;
  if (context !== "GATEWAY") return wanted.portNumber === undefined || wanted.portNumber === portOf(own);
  const { port, portName, gateway } = partsOf(own);
  return (
    (wanted.portNumber === undefined || wanted.portNumber === port) &&
    (wanted.portName === undefined || wanted.portName === portName) &&
    (wanted.gateway === undefined || wanted.gateway === gateway)
  );
}

/** `80`, or `inbound|8080||`. */
function portOf(name: string): number {
  return Number(/^(?:inbound\|)?(\d+)(?:\||$)/.exec(name)?.[1] ?? 0);
}

/** `http.80`, or `https.443.port.gateway.namespace`. */
function partsOf(name: string): {
  readonly port: number;
  readonly portName: string;
  readonly gateway: string;
} {
  const [, port = "0", portName = "", gateway = "", namespace = ""] = name.split(".");
  return { port: Number(port), portName, gateway: gateway === "" ? "" : `${namespace}/${gateway}` };
}

function isHostMatched({ name, domains }: JsonObject, { match }: Patch): boolean {
  const wanted = match.routeConfiguration?.vhost;
  if (wanted === undefined) return true;
  const has = Array.isArray(domains) ? (domains as readonly Json[]) : [];
  return (
    (wanted.name === undefined || wanted.name === name) &&
    (wanted.domainName === undefined || has.includes(wanted.domainName))
  );
}

const actions = { ROUTE: "route", REDIRECT: "redirect", DIRECT_RESPONSE: "directResponse" } as const;

function isRouteMatched(route: JsonObject, { match }: Patch): boolean {
  const wanted = match.routeConfiguration?.vhost?.route;
  if (wanted === undefined) return true;
  const { name, action = "ANY" } = wanted;
  return (name === undefined || name === route["name"]) && (action === "ANY" || actions[action] in route);
}
