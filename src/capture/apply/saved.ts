/** Rules as the kernel holds them: the text of iptables-save(8), read. */
import type { TableName } from "../plan/plan.ts";

/** One chain and its rules, each as iptables writes it, without the chain's name. */
export interface SavedChain {
  readonly name: string;
  readonly rules: readonly string[];
}

/** Chains by table; a table that is not there has none. */
export type SavedTables = Readonly<Record<TableName, readonly SavedChain[]>>;

/** What else there is: rules in any table, ours or not. */
export interface SavedRules {
  readonly tables: SavedTables;
  /** Rules of all tables together. */
  readonly count: number;
}

/** Lines that it does not know are comments, or warnings of the program. */
export function parseSaved(lines: readonly string[]): SavedRules {
  const tables = new Map<string, Map<string, string[]>>();
  let table = new Map<string, string[]>();
  let count = 0;
  for (const line of lines) {
    const [, name] = /^\*\s*(\S+)$/.exec(line) ?? [];
    const [, chain] = /^:(\S+)\s/.exec(line) ?? [];
    const [, of, rule] = /^-A (\S+) ?(.*)$/.exec(line) ?? [];
    if (name !== undefined) tables.set(name, (table = new Map()));
    else if (chain !== undefined) table.set(chain, []);
    else if (of !== undefined && rule !== undefined) {
      table.set(of, [...(table.get(of) ?? []), rule]);
      count += 1;
    }
  }
  const chainsOf = (name: TableName): readonly SavedChain[] =>
    [...(tables.get(name) ?? [])].map(([chain, rules]) => ({ name: chain, rules }));
  return { tables: { mangle: chainsOf("mangle"), nat: chainsOf("nat"), raw: chainsOf("raw") }, count };
}
