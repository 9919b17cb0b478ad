/**
 * A table that is to capture less, while another one is yet to capture more: it has what is new, and what captured before
 * as well.
 *
 * Each table changes by itself. Were it only that what loses comes last, calls that Envoy makes for what the other table
 * hands to it would still meet the old rules, and go round.
 */
import { normalRule } from "./normal-rule.ts";
import { type GuestRule, isCopies, type TableState } from "./table-state.ts";

/** From `held` on the way to `wanted`. */
export function meanwhile(held: TableState, wanted: TableState): TableState {
  const keys = new Set(wanted.guests.map(keyOf));
  const kept = held.guests.filter((guest) => !keys.has(keyOf(guest)));
  const chains = new Map(wanted.chains);
  for (const chain of reachedFrom(kept, held)) chains.set(chain, held.chains.get(chain) ?? []);
  for (const [name, rules] of held.chains)
    if (isCopies(name)) chains.set(name, [...new Set([...rules, ...(wanted.chains.get(name) ?? [])])]);
  return {
    table: wanted.table,
    chains,
    guests: [...kept.map((guest) => ({ ...guest, at: undefined })), ...wanted.guests],
  };
}

function keyOf({ chain, specification }: GuestRule): string {
  return `${chain} ${normalRule(specification)}`;
}

/** Chains of ours that a packet comes to by these rules. */
function reachedFrom(guests: readonly GuestRule[], { chains }: TableState): ReadonlySet<string> {
  const reached = new Set<string>();
  const follow = (specification: string): void => {
    const [, target = ""] = /(?:^| )-[jg] (\S+)/.exec(specification) ?? [];
    const rules = chains.get(target);
    if (rules === undefined || reached.has(target)) return;
    reached.add(target);
    rules.forEach(follow);
  };
  for (const { specification } of guests) follow(specification);
  return reached;
}
