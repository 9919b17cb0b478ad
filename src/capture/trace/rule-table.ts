/** Rules to walk through, of a plan or of the kernel, in one form. */
import {
  type Action,
  chainsOf,
  type FamilyPlan,
  inPlace,
  isBuiltIn,
  type Match,
  rulesOf,
  type TableName,
} from "../plan/plan.ts";
import { tableNames } from "../render/iptables.ts";

/** What is none of ours and not understood, in its own words. */
export interface Foreign {
  readonly kind: "foreign";
  readonly text: string;
}

/** One rule. */
export interface TracedRule {
  readonly matches: readonly (Match | Foreign)[];
  /** Undefined only counts. */
  readonly action: Action | Foreign | undefined;
  /** Of a plan's. */
  readonly because?: string;
}

/** One table with its chains, the kernel's own included. */
export interface RuleTable {
  readonly table: TableName;
  readonly chains: ReadonlyMap<string, readonly TracedRule[]>;
}

/** A plan's tables. */
export function plannedTables(plan: Pick<FamilyPlan, "rules">): readonly RuleTable[] {
  return tableNames.map((table) => {
    const rules = rulesOf(plan, table);
    const names = [...new Set(rules.map(({ chain }) => chain).filter(isBuiltIn)), ...chainsOf(rules)];
    return {
      table,
      chains: new Map(names.map((name) => [name, inPlace(rules.filter(({ chain }) => chain === name))])),
    };
  });
}
