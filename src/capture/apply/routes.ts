/** Routes as ip(8) shows and changes them: ours are known by the marks of our rules. */
import type { Family } from "../options/address.ts";
import type { Route } from "../plan/plan.ts";
import type { RunTool } from "./tool.ts";

/** Routes that are to be, and those that are to go. */
export interface RouteChange {
  readonly missing: readonly Route[];
  readonly surplus: readonly Route[];
}

/** The mark of TPROXY's packets and the routing table that they look into. */
export interface TproxyRoute {
  readonly mark: number;
  readonly table: number;
}

/** What says which routes are ours. */
export interface OwnRoutes {
  /** Of our rules, earlier ones included: routes for them are ours. */
  readonly marks: ReadonlySet<number>;
  /** The address for IPv6 is ours where rules of ours are. */
  readonly hasRules: boolean;
  /** Ours whatever rules say, and the address as well. */
  readonly tproxy: TproxyRoute | undefined;
}

/** What `ip rule show`, `ip route show table all` and `ip addr show dev lo` say. */
export interface RouteTexts {
  readonly rules: readonly string[];
  readonly routes: readonly string[];
  readonly addresses: readonly string[];
}

/** The address that IPv6 rules need, which is nobody else's. */
const passthrough = "::6/128";

/** From the routes that are there to those that are wanted; those of others stay. */
export function routeChange(texts: RouteTexts, wanted: readonly Route[], own: OwnRoutes): RouteChange {
  const hasAddress =
    own.hasRules || own.tproxy !== undefined || wanted.some(({ kind }) => kind === "address");
  const held = heldRoutes(texts, own, hasAddress);
  const isIn = (routes: readonly Route[], route: Route): boolean =>
    routes.some((other) => keyOf(other) === keyOf(route));
  return {
    missing: wanted.filter((route) => !isIn(held, route)),
    surplus: held.filter((route) => !isIn(wanted, route)),
  };
}

/**
 * What of the wanted routes somebody else has in use: their mark with another table, or their table with other routes.
 *
 * @param ours marks of our rules in the kernel
 */
export function takenRoutes(
  { rules, routes }: RouteTexts,
  wanted: readonly Route[],
  ours: readonly number[],
): readonly string[] {
  return wanted.flatMap((route): readonly string[] => {
    if (route.kind === "local-default")
      return routes
        .filter((line) => line.includes(` table ${route.table} `) && !isLocalDefault(line))
        .map((line) => `routing table ${route.table} has a route of somebody else: ${line.trim()}`);
    if (route.kind !== "rule" || ours.includes(route.mark)) return [];
    return rules
      .filter((line) => {
        const lookup = lookupOf(line);
        return lookup?.mark === route.mark && lookup.table !== route.table;
      })
      .map((line) => `mark ${route.mark} has a rule of somebody else: ${line}`);
  });
}

function isLocalDefault(line: string): boolean {
  return line.startsWith("local default dev lo ");
}

/** Of a rule that looks at nothing but a mark. */
function lookupOf(line: string): TproxyRoute | undefined {
  const [, mark, table] = /fwmark (0x[\da-f]+|\d+)(?:\/0xffffffff)? lookup (\d+)/.exec(line) ?? [];
  return mark === undefined ? undefined : { mark: Number(mark), table: Number(table) };
}

function heldRoutes(
  { rules, routes, addresses }: RouteTexts,
  { marks, tproxy }: OwnRoutes,
  isPassthroughOurs: boolean,
): readonly Route[] {
  const because = "";
  const forMarks = rules.flatMap((line) => {
    const lookup = lookupOf(line);
    if (lookup === undefined) return [];
    const { mark, table } = lookup;
    const isOurs = marks.has(mark) || (mark === tproxy?.mark && table === tproxy.table);
    return isOurs ? [{ kind: "rule" as const, mark, table, because }] : [];
  });
  const tables = [...new Set(forMarks.map(({ table }) => table))].filter((table) =>
    routes.some((line) => isLocalDefault(line) && line.includes(` table ${table} `)),
  );
  const hasPassthrough = addresses.some((line) => line.includes(` ${passthrough} `));
  return [
    ...(isPassthroughOurs && hasPassthrough
      ? [{ kind: "address" as const, address: passthrough, because }]
      : []),
    ...tables.map((table) => ({ kind: "local-default" as const, table, because })),
    ...forMarks,
  ];
}

function keyOf(route: Route): string {
  return JSON.stringify({ ...route, because: "" });
}

/** What is there, of one family; undefined where ip(8) cannot say. */
export async function readRoutes(run: RunTool, family: Family): Promise<RouteTexts | undefined> {
  const ip = family === "ipv6" ? "-6" : "-4";
  const [rules, routes, addresses] = await Promise.all([
    run("ip", [ip, "rule", "show"]),
    run("ip", [ip, "route", "show", "table", "all"]),
    run("ip", [ip, "addr", "show", "dev", "lo"]),
  ]);
  if (rules.kind !== "done" || addresses.kind !== "done") return undefined;
  return {
    rules: rules.lines,
    routes: routes.kind === "done" ? routes.lines.map((line) => `${line} `) : [],
    addresses: addresses.lines,
  };
}
