/** Steps that bring the routes of a family to what the plan wants. */
import type { Family } from "../options/address.ts";
import type { FamilyPlan, Route } from "../plan/plan.ts";
import { routeWords } from "../render/iptables.ts";
import { heldMarks } from "./marks.ts";
import { readRoutes, routeChange, takenRoutes, type TproxyRoute } from "./routes.ts";
import { familyNames, problemOf } from "./rule-steps.ts";
import type { SavedTables } from "./saved.ts";
import type { Step } from "./steps.ts";
import { heldState, isEmpty } from "./table-state.ts";
import type { RunTool } from "./tool.ts";

/** Steps to make: what is missing goes in, what is left from before goes out. */
export interface RouteSteps {
  readonly add: readonly Step[];
  readonly remove: readonly Step[];
  /** What somebody else has in use already: nothing is to be made then. */
  readonly taken: readonly string[];
}

/** What says which routes are ours. */
export interface RouteOwnership {
  /** Every table of this family that may have rules of ours. */
  readonly held: readonly SavedTables[];
  /** Our tables in nftables, as it lists them. */
  readonly nft: readonly string[];
  /** Ours whatever rules say. */
  readonly tproxy: TproxyRoute | undefined;
}

/** @param plan undefined wants none */
export async function routeSteps(
  run: RunTool,
  family: Family,
  { held, nft, tproxy }: RouteOwnership,
  plan: FamilyPlan | undefined,
): Promise<RouteSteps> {
  const wanted = plan?.routes ?? [];
  const ours = heldMarks(held, nft);
  const marks = new Set([...ours, ...wanted.flatMap((route) => markOf(route) ?? [])]);
  const hasRules =
    held.some((tables) => !isEmpty(heldState("nat", tables.nat))) ||
    nft.some((line) => line.startsWith(`table ${family === "ipv6" ? "ip6" : "ip"} `));
  const hasRoutes = family === "ipv6" && hasRules;
  if (marks.size === 0 && wanted.length === 0 && !hasRoutes && tproxy === undefined)
    return { add: [], remove: [], taken: [] };
  const texts = (await readRoutes(run, family)) ?? { rules: [], routes: [], addresses: [] };
  const { missing, surplus } = routeChange(texts, wanted, { marks, hasRules, tproxy });
  const change = (route: Route, does: "add" | "del"): Promise<string | undefined> => {
    const words = routeWords(family, route).map((word) => (word === "add" ? does : word));
    return run("ip", words).then((result) => problemOf(result, "ip"));
  };
  const what = `${familyNames[family]} routes`;
  const step = (route: Route, does: "add" | "del", undo: "add" | "del"): Step => {
    let isMade = false;
    return {
      what,
      make: async () => {
        const problem = await change(route, does);
        isMade = problem === undefined;
        return problem;
      },
      takeBack: async () => (isMade ? change(route, undo) : undefined),
    };
  };
  return {
    add: missing.map((route) => step(route, "add", "del")),
    remove: surplus.map((route) => step(route, "del", "add")),
    taken: takenRoutes(texts, wanted, ours).map((what) => `${familyNames[family]}: ${what}`),
  };
}

function markOf(route: Route): number | undefined {
  return route.kind === "rule" ? route.mark : undefined;
}
