/**
 * Brings the kernel to what a plan wants: all of it or none, nothing where it is so already, and no rule or route of
 * ours left from another plan or in another back end.
 */
import type { Family } from "../options/address.ts";
import type { IptablesKind } from "../options/run-settings.ts";
import type { CapturePlan, FamilyPlan } from "../plan/plan.ts";
import { type BackEnd, type BackEnds, chooseBackEnd, readBackEnds } from "./back-end.ts";
import { listNftTables, nftStep } from "./nft-steps.ts";
import { type CaptureOutcome, failure, failureCode } from "./outcome.ts";
import { routeSteps } from "./route-steps.ts";
import { ruleSteps } from "./rule-steps.ts";
import type { TproxyRoute } from "./routes.ts";
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
  if (options.nativeNftables) {
    if (nft === undefined) return nftUnusable(run);
    const held = { backEnds: backEnds.found, nft };
    const routes = await allRoutes(held, run, plan);
    const outcome = await makeAll([
      ...routes.add,
      nftStep(run, plan, nft),
      ...routes.remove,
      ...withoutRules(held.backEnds, run),
    ]);
    const isSame = outcome.kind === "changed" && outcome.what.length === 1 && !options.force;
    const after = isSame ? await listNftTables(run) : undefined;
    return after?.join("\n") === nft.join("\n") ? { kind: "unchanged" } : outcome;
  }
  const chosen = chooseBackEnd(backEnds.found, options.binary);
  if (chosen === undefined) return noBackEnd(backEnds, options.binary);
  const { kind } = chosen;
  if (chosen.held.ipv6 === undefined && planOf(plan, "ipv6") !== undefined)
    return failure("NO_BINARY", `there is no ip6tables of kind ${kind} for the rules of IPv6`);
  const rules = families.flatMap((family) => {
    const held = chosen.held[family];
    const place = held === undefined ? undefined : { run, kind, family, held };
    return place === undefined ? [] : ruleSteps(place, planOf(plan, family), options.force);
  });
  const others = backEnds.found.filter((backEnd) => backEnd !== chosen);
  const routes = await allRoutes({ backEnds: backEnds.found, nft: nft ?? [] }, run, plan);
  return makeAll([
    // What rules mark finds its way from the first packet on.
    ...routes.add,
    ...rules,
    ...routes.remove,
    ...withoutRules(others, run),
    ...nftRemovals(nft, run),
  ]);
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
): Promise<{ readonly add: readonly Step[]; readonly remove: readonly Step[] }> {
  const each = await Promise.all(
    families.map((family) => {
      const held = backEnds.flatMap((backEnd) => backEnd.held[family]?.saved.tables ?? []);
      return routeSteps(run, family, { held, nft, tproxy }, planOf(plan, family));
    }),
  );
  return { add: each.flatMap(({ add }) => add), remove: each.flatMap(({ remove }) => remove) };
}

function withoutRules(backEnds: readonly BackEnd[], run: RunTool): readonly Step[] {
  return backEnds.flatMap(({ kind, held }) =>
    families.flatMap((family) => {
      const place = held[family];
      return place === undefined ? [] : ruleSteps({ run, kind, family, held: place }, undefined, false);
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
