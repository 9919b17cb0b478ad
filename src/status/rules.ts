/**
 * Which route a request is for, and whether whoever asks may: the same rules for every route.
 */
import { isLoopback } from "../net/loopback.ts";
import type { Endpoint } from "./contract/route.ts";

/** What of a request decides. */
export interface RequestFacts {
  /** Without the query. */
  readonly path: string;
  readonly method: string;
  /** As the kernel writes it. */
  readonly remoteAddress: string | undefined;
}

/** The route, or why there is no answer. */
export type Ruling<Row extends Endpoint> =
  | { readonly kind: "answer"; readonly route: Row }
  | { readonly kind: "refuse"; readonly status: 403 | 404 | 405; readonly why: string };

/** The first row that is for `path`. */
export function routeFor<Row extends Endpoint>(table: readonly Row[], path: string): Row | undefined {
  return table.find((row) => (isFolder(row) ? path.startsWith(row.path) : row.path === path));
}

/** @param metricsLocalOnly scrapers come by loopback */
export function rule<Row extends Endpoint>(
  table: readonly Row[],
  { path, method, remoteAddress }: RequestFacts,
  metricsLocalOnly: boolean,
): Ruling<Row> {
  const route = routeFor(table, path);
  if (route === undefined) return { kind: "refuse", status: 404, why: "Not Found" };
  const isForLoopback = route.scope === "loopback" || (route.scope === "scrapers" && metricsLocalOnly);
  if (isForLoopback && !isLoopback(remoteAddress))
    return { kind: "refuse", status: 403, why: "Only requests from localhost are allowed" };
  if (route.method === "POST" && method !== "POST")
    return { kind: "refuse", status: 405, why: "Method Not Allowed" };
  return { kind: "answer", route };
}

/** The root is a page of its own. */
function isFolder({ path }: Endpoint): boolean {
  return path.endsWith("/") && path !== "/";
}
