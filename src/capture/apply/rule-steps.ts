/** Steps that change the rules of one family in one back end. */
import type { Family } from "../options/address.ts";
import type { IptablesKind } from "../options/run-settings.ts";
import { type FamilyPlan, isBuiltIn, type TableName } from "../plan/plan.ts";
import { tableNames } from "../render/iptables.ts";
import type { Held } from "./back-end.ts";
import { changeInput } from "./change.ts";
import { parseSaved, type SavedTables } from "./saved.ts";
import type { Step } from "./steps.ts";
import { heldState, plannedState, type TableState } from "./table-state.ts";
import type { RunTool } from "./tool.ts";

/** How long iptables waits for another that changes rules, in seconds; only the old back end has such a lock. */
const lockWait = 30;

/** Where rules are changed. */
export interface RulePlace {
  readonly run: RunTool;
  readonly kind: IptablesKind;
  readonly family: Family;
  readonly held: Held;
}

/** Names of families for people. */
export const familyNames: Readonly<Record<Family, string>> = { ipv4: "IPv4", ipv6: "IPv6" };

/** What rules are changed to, and from what. */
export interface RuleChange {
  /** No plan is a plan without rules. */
  readonly plan: FamilyPlan | undefined;
  /** Of which the rules are by then; what the kernel holds if undefined. */
  readonly from?: Pick<FamilyPlan, "rules"> | undefined;
  /** Also where everything is as it should be. */
  readonly force?: boolean;
}

/** One step, or none where everything is as the plan wants it. It is taken back to what the kernel holds now. */
export function ruleSteps(place: RulePlace, { plan, from, force = false }: RuleChange): readonly Step[] {
  const before = place.held.saved.tables;
  const held: TableStates = (table) => heldState(table, before[table]);
  const start = from === undefined ? held : planned(from);
  const input = inputFor(start, planned(plan), force);
  if (input === "") return [];
  return [
    {
      what: `${familyNames[place.family]} rules (${place.kind})`,
      make: async () => {
        const problem = await restore(place, input);
        const kept = new Set(plan?.rules.map(({ table, chain }) => `${table} ${chain}`));
        const isLost = tableNames.some((table) =>
          start(table).guests.some(({ chain }) => !kept.has(`${table} ${chain}`)),
        );
        if (problem === undefined && isLost) await tidy(place, start);
        return problem;
      },
      takeBack: async () => {
        const now = await save(place);
        if (typeof now === "string") return now;
        const changed: TableStates = (table) => heldState(table, now[table]);
        const back = inputFor(changed, held, false);
        const problem = back === "" ? undefined : await restore(place, back);
        await tidy(place, changed, before);
        return problem;
      },
    },
  ];
}

type TableStates = (table: TableName) => TableState;

function planned(plan: Pick<FamilyPlan, "rules"> = { rules: [] }): TableStates {
  return (table) => plannedState(plan, table);
}

function inputFor(held: TableStates, wanted: TableStates, force: boolean): string {
  return changeInput(
    tableNames.map((table) => ({ held: held(table), wanted: wanted(table) })),
    force,
  );
}

async function restore({ run, kind, held }: RulePlace, input: string): Promise<string | undefined> {
  const wait = kind === "legacy" ? [`--wait=${lockWait}`] : [];
  const result = await run(held.programs.restore, ["--noflush", ...wait], input);
  return problemOf(result, held.programs.restore);
}

async function save({ run, held }: RulePlace): Promise<SavedTables | string> {
  const result = await run(held.programs.save, []);
  return result.kind === "done"
    ? parseSaved(result.lines).tables
    : (problemOf(result, held.programs.save) ?? "");
}

/** What a program's end means; undefined for a good one. */
export function problemOf(result: Awaited<ReturnType<RunTool>>, file: string): string | undefined {
  if (result.kind === "missing") return `there is no ${file}`;
  return result.kind === "failed" ? result.message : undefined;
}

/**
 * With nf_tables, chains of the kernel's names and their tables exist for as long as somebody has made them: those that
 * have lost their last rule with ours go too. Whatever is not empty is refused by the kernel, or left.
 */
async function tidy(place: RulePlace, was: TableStates, before?: SavedTables): Promise<void> {
  const { run, kind, family, held } = place;
  if (kind !== "nft") return;
  const now = await save(place);
  if (typeof now === "string") return;
  const program = held.programs.save.replace(/-save$/, "");
  for (const table of tableNames) {
    const guests = was(table).guests.map(({ chain }) => chain);
    const isEmptyNow = (chain: string): boolean =>
      now[table].find(({ name }) => name === chain)?.rules.length === 0 &&
      (before?.[table].find(({ name }) => name === chain)?.rules.length ?? 0) === 0;
    const emptied = [...new Set(guests)].filter((chain) => isBuiltIn(chain) && isEmptyNow(chain));
    for (const chain of emptied) await run(program, ["-t", table, "-X", chain]);
    if (emptied.length === 0) continue;
    const nftFamily = family === "ipv4" ? "ip" : "ip6";
    const listing = await run("nft", ["list", "table", nftFamily, table]);
    const isBare = listing.kind === "done" && !listing.lines.some((line) => /^(?:chain|set|map) /.test(line));
    if (isBare) await run("nft", ["delete", "table", nftFamily, table]);
  }
}
