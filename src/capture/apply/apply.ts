/**
 * Brings the kernel to what a plan wants: all of it or none, nothing where it is so already, and no rule or route of
 * ours left from another plan or in another back end.
 */
import type { Family } from "../options/address.ts";
import type { IptablesKind } from "../options/run-settings.ts";
import type { CapturePlan, FamilyPlan } from "../plan/plan.ts";
import { withDeparting } from "../plan/departing.ts";
import { type BackEnd, type BackEnds, chooseBackEnd, readBackEnds } from "./back-end.ts";
import { departed } from "./departure.ts";
import { heldMarks, plannedMarks } from "./marks.ts";
import { listNftTables, nftStep } from "./nft-steps.ts";
import { type CaptureOutcome, failure, failureCode } from "./outcome.ts";
import { type RouteSteps, routeSteps } from "./route-steps.ts";
import { ruleSteps } from "./rule-steps.ts";
import type { TproxyRoute } from "./routes.ts";
import type { SavedTables } from "./saved.ts";
import { makeAll, type Step } from "./steps.ts";
import type { RunTool } from "./tool.ts";

/** How a plan is applied. */
export interface ApplyOptions {
  /** Tables of nftables' own instead of iptables'. */
  readonly nativeNftables: boolean;
  /** Undefined chooses by what the kernel holds. */
  readonly binary: IptablesKind | undefined;
  /** Also where everything is as it should be. */
  readonly force: boolean;
  /** File of the network namespace that programs are run in; undefined is this process's own. */
  readonly networkNamespace: string | undefined;
}

/** Everything that may hold rules of ours. */
interface AllHeld {
  readonly backEnds: readonly BackEnd[];
  /** Our tables in nftables. */
  readonly nft: readonly string[];
}

const families: readonly Family[] = ["ipv4", "ipv6"];

/** Rules and routes of the plan, and no others of ours. */
export async function applyCapture(
  plan: CapturePlan,
  options: ApplyOptions,
  run: RunTool,
): Promise<CaptureOutcome> {
  const [backEnds, nft] = await Promise.all([readBackEnds(run), listNftTables(run)]);
  const held = { backEnds: backEnds.found, nft: nft ?? [] };
  if (options.nativeNftables) {
    if (nft === undefined) return nftUnusable(run);
    const rules = (to: CapturePlan): readonly Step[] => [nftStep(run, to, nft)];
    const outcome = await makeStages(held, run, {
      ...{ plan, rules, others: withoutRules(held.backEnds, run) },
      networkNamespace: options.networkNamespace,
    });
    const isSame = outcome.kind === "changed" && outcome.what.length === 1 && !options.force;
    const after = isSame ? await listNftTables(run) : undefined;
    return after?.join("\n") === nft.join("\n") ? { kind: "unchanged" } : outcome;
  }
  const chosen = chooseBackEnd(backEnds.found, options.binary);
  if (chosen === undefined) return noBackEnd(backEnds, options.binary);
  const { kind } = chosen;
  if (chosen.held.ipv6 === undefined && planOf(plan, "ipv6") !== undefined)
    return failure("NO_BINARY", `there is no ip6tables of kind ${kind} for the rules of IPv6`);
  const rules = (to: CapturePlan, from?: CapturePlan): readonly Step[] =>
    families.flatMap((family) => {
      const inFamily = chosen.held[family];
      if (inFamily === undefined) return [];
      return ruleSteps(
        { run, kind, family, held: inFamily },
        {
          plan: planOf(to, family),
          from: from && (planOf(from, family) ?? { rules: [] }),
          force: options.force,
        },
      );
    });
  const left = backEnds.found.filter((backEnd) => backEnd !== chosen);
  const others = [...withoutRules(left, run), ...nftRemovals(nft, run)];
  return makeStages(held, run, { plan, rules, others, networkNamespace: options.networkNamespace });
}

/** How rules come to be what a plan wants. */
interface Stages {
  readonly plan: CapturePlan;
  /** In the back end that is to have them. */
  readonly rules: (to: CapturePlan, from?: CapturePlan) => readonly Step[];
  /** Out of every other one. */
  readonly others: readonly Step[];
  readonly networkNamespace: ApplyOptions["networkNamespace"];
}

async function makeStages(
  held: AllHeld,
  run: RunTool,
  { plan, rules, others, networkNamespace }: Stages,
): Promise<CaptureOutcome> {
  // What rules mark finds its way from the first packet on.
  const routes = await allRoutes(held, run, plan);
  if (routes.taken.length > 0) return failure("ROUTE_TAKEN", routes.taken.join("; "));
  const wanted = plannedMarks(plan);
  const departing = heldMarks(savedTables(held), held.nft).filter((mark) => !wanted.includes(mark));
  if (departing.length === 0) return makeAll([...routes.add, ...rules(plan), ...routes.remove, ...others]);
  const meanwhile = withDeparting(plan, departing);
  const [last, ...after] = [...routes.remove, ...rules(plan, meanwhile)];
  let cut = 0 as Awaited<ReturnType<typeof departed>>;
  const make = async (): Promise<string | undefined> => {
    cut = await departed(run, networkNamespace);
    return last?.make();
  };
  const delayed = last === undefined ? [] : [{ ...last, make }, ...after];
  const outcome = await makeAll([...routes.add, ...rules(meanwhile), ...others, ...delayed]);
  if (outcome.kind !== "changed" || cut === 0) return outcome;
  const told =
    typeof cut === "number"
      ? `${cut} connections of TPROXY cut`
      : `connections of TPROXY cut, if there were any (not counted: ${cut})`;
  return { ...outcome, what: [...outcome.what, told] };
}

/**
 * No rule and no route of ours, in whichever back end.
 *
 * @param tproxy is ours too where a call that was killed has left it without rules
 */
export async function cleanCapture(run: RunTool, tproxy: TproxyRoute): Promise<CaptureOutcome> {
  const [backEnds, nft] = await Promise.all([readBackEnds(run), listNftTables(run)]);
  if (backEnds.found.length === 0 && nft === undefined) return noBackEnd(backEnds, undefined);
  const routes = await allRoutes({ backEnds: backEnds.found, nft: nft ?? [] }, run, [], tproxy);
  // Routes first: while they are there, rules say whose they are.
  return makeAll([...routes.remove, ...withoutRules(backEnds.found, run), ...nftRemovals(nft, run)]);
}

async function allRoutes(
  { backEnds, nft }: AllHeld,
  run: RunTool,
  plan: CapturePlan,
  tproxy?: TproxyRoute,
): Promise<RouteSteps> {
  const each = await Promise.all(
    families.map((family) => {
      const held = savedTables({ backEnds, nft }, [family]);
      return routeSteps(run, family, { held, nft, tproxy }, planOf(plan, family));
    }),
  );
  return {
    add: each.flatMap(({ add }) => add),
    remove: each.flatMap(({ remove }) => remove),
    taken: each.flatMap(({ taken }) => taken),
  };
}

function savedTables({ backEnds }: AllHeld, of = families): readonly SavedTables[] {
  return backEnds.flatMap(({ held }) => of.flatMap((family) => held[family]?.saved.tables ?? []));
}

function withoutRules(backEnds: readonly BackEnd[], run: RunTool): readonly Step[] {
  return backEnds.flatMap(({ kind, held }) =>
    families.flatMap((family) => {
      const place = held[family];
      return place === undefined ? [] : ruleSteps({ run, kind, family, held: place }, { plan: undefined });
    }),
  );
}

function nftRemovals(nft: readonly string[] | undefined, run: RunTool): readonly Step[] {
  return nft === undefined || nft.length === 0 ? [] : [nftStep(run, undefined, nft)];
}

function planOf(plan: CapturePlan, family: Family): FamilyPlan | undefined {
  return plan.find((candidate) => candidate.family === family);
}

function noBackEnd({ failures }: BackEnds, forced: IptablesKind | undefined): CaptureOutcome {
  const message = failures.join("; ");
  if (message !== "") return failure(failureCode(message), message);
  const kind = forced === undefined ? "iptables" : `iptables of kind ${forced}`;
  return failure("NO_BINARY", `there is no ${kind}: install it, or use --native-nftables with nft`);
}

async function nftUnusable(run: RunTool): Promise<CaptureOutcome> {
  const result = await run("nft", ["list", "tables"]);
  if (result.kind === "failed") return failure(failureCode(result.message), result.message);
  return failure("NO_BINARY", "there is no nft: install nftables");
}
