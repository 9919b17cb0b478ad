/**
 * Which of the routes of one host is tried first (Gateway API, HTTPRouteRule and GRPCRouteRule).
 */
import type { HttpMatch, HttpRoute } from "../objects.ts";
import type { Route } from "./attach.ts";

/** A route, and what decides about its place beside those of others. */
export interface RankedRoute {
  readonly route: HttpRoute;
  /** The host by which the object has it. */
  readonly written: string;
  /** Of the object among all, the oldest first. */
  readonly age: number;
}

/** The older first, then by namespace and name. */
export function byAgeOfRoutes(a: Route, b: Route): number {
  const [ageA, ageB] = [a.createdAtMs ?? Infinity, b.createdAtMs ?? Infinity];
  if (ageA !== ageB) return ageA < ageB ? -1 : 1;
  const [nameA, nameB] = [`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`];
  if (nameA === nameB) return 0;
  return nameA < nameB ? -1 : 1;
}

/**
 * What comes after a route that takes everything is left out.
 *
 * The most closely named host, then the path (exact, longest prefix, expression), the method, the number of headers and of
 * parameters, the older object, the earlier rule. What takes every path comes last: an expression beside it would
 * never be tried otherwise.
 */
export function inOrder(routes: readonly RankedRoute[]): readonly HttpRoute[] {
  const sorted = routes
    .map((ranked) => ({ ...ranked, rank: rankOf(ranked) }))
    .toSorted((a, b) => firstDifference(a.rank, b.rank))
    .map(({ route }) => route);
  const last = sorted.findIndex(takesAll);
  return last < 0 ? sorted : sorted.slice(0, last + 1);
}

function takesAll({ match: [match] = [] }: HttpRoute): boolean {
  const { uri, ...rest } = match ?? {};
  return uri?.prefix === "/" && Object.keys(rest).length === 0;
}

function firstDifference(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (b[at] ?? 0) - (a[at] ?? 0);
}

/** More comes first. */
function rankOf({ route, written, age }: RankedRoute): readonly number[] {
  const [match = {}] = route.match ?? [];
  const { method, headers = {}, queryParams = {} } = match;
  return [
    written.startsWith("*") ? 0 : 1,
    written.length,
    ...rankOfPath(match),
    method === undefined ? 0 : 1,
    Object.keys(headers).length,
    Object.keys(queryParams).length,
    -age,
  ];
}

function rankOfPath({ uri = {} }: HttpMatch): readonly [kind: number, length: number] {
  if (uri.exact !== undefined) return [3, uri.exact.length];
  if (uri.regex !== undefined) return [1, uri.regex.length];
  const { prefix = "/" } = uri;
  return [prefix === "/" ? 0 : 2, prefix.length];
}
