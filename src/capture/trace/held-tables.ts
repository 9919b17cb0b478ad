/** The kernel's live rules, in every back end that is there. */
import { readBackEnds } from "../apply/back-end.ts";
import { listNftTables } from "../apply/nft-steps.ts";
import type { RunTool } from "../apply/tool.ts";
import type { Family } from "../options/address.ts";
import { tableNames } from "../render/iptables.ts";
import { parseIptablesRule } from "./parse-iptables.ts";
import { parseNftTables } from "./parse-nft.ts";
import type { RuleTable } from "./rule-table.ts";

/** Rules by family, or why they cannot be read. */
export type HeldTables =
  | { readonly kind: "read"; readonly tables: Readonly<Record<Family, readonly RuleTable[]>> }
  | { readonly kind: "unreadable"; readonly message: string };

/** Reads only; needs NET_ADMIN. */
export async function readHeldTables(run: RunTool): Promise<HeldTables> {
  const [{ found, failures }, nft] = await Promise.all([readBackEnds(run), listNftTables(run)]);
  if (found.length === 0 && nft === undefined)
    return { kind: "unreadable", message: failures[0] ?? "there is neither iptables nor nft" };
  const of = (family: Family): readonly RuleTable[] => [
    ...found.flatMap(({ held }) =>
      tableNames.map((table) => ({
        table,
        chains: new Map(
          (held[family]?.saved.tables[table] ?? []).map(({ name, rules }) => [
            name,
            rules.map(parseIptablesRule),
          ]),
        ),
      })),
    ),
    ...parseNftTables(nft ?? [], family),
  ];
  return { kind: "read", tables: { ipv4: of("ipv4"), ipv6: of("ipv6") } };
}
