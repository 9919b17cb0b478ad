/** Routes as ip(8) shows and changes them: ours are known by the marks of our rules. */
import type { Family } from "../options/address.ts";
import type { Route } from "../plan/plan.ts";
import type { RunTool } from "./tool.ts";

/** Routes that are to be, and those that are to go. */
export interface RouteChange {
  readonly missing: readonly Route[];
  readonly surplus: readonly Route[];
}

/** What `ip rule show`, `ip route show table all` and `ip addr show dev lo` say. */
export interface RouteTexts {
  readonly rules: readonly string[];
  readonly routes: readonly string[];
  readonly addresses: readonly string[];
}

/** The address that IPv6 rules need, which is nobody else's. */
const passthrough = "::6/128";

/**
 * @param marks of our rules, earlier ones included: routes for them are ours
 * @param hasIpv6Rules the address for IPv6 is ours where rules of ours are
 */
export function routeChange(
  texts: RouteTexts,
  wanted: readonly Route[],
  marks: ReadonlySet<number>,
  hasIpv6Rules: boolean,
): RouteChange {
  const held = heldRoutes(texts, marks, hasIpv6Rules || wanted.some(({ kind }) => kind === "address"));
  const isIn = (routes: readonly Route[], route: Route): boolean =>
    routes.some((other) => keyOf(other) === keyOf(route));
  return {
    missing: wanted.filter((route) => !isIn(held, route)),
    surplus: held.filter((route) => !isIn(wanted, route)),
  };
}

function heldRoutes(
  { rules, routes, addresses }: RouteTexts,
  marks: ReadonlySet<number>,
  isPassthroughOurs: boolean,
): readonly Route[] {
  const because = "";
  const forMarks = rules.flatMap((line) => {
    const [, mark, table] = /fwmark (0x[\da-f]+|\d+)(?:\/0xffffffff)? lookup (\d+)/.exec(line) ?? [];
    return mark !== undefined && marks.has(Number(mark))
      ? [{ kind: "rule" as const, mark: Number(mark), table: Number(table), because }]
      : [];
  });
  const tables = [...new Set(forMarks.map(({ table }) => table))].filter((table) =>
    routes.some((line) => line.startsWith("local default dev lo ") && line.includes(` table ${table} `)),
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
    run("ip", [ip, "route", "show", "table", "all", "type", "local"]),
    run("ip", [ip, "addr", "show", "dev", "lo"]),
  ]);
  if (rules.kind !== "done" || addresses.kind !== "done") return undefined;
  return {
    rules: rules.lines,
    routes: routes.kind === "done" ? routes.lines.map((line) => `${line} `) : [],
    addresses: addresses.lines,
  };
}
