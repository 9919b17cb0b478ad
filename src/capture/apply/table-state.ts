/**
 * What of a table is ours: whole chains, and rules in chains of the kernel or of others.
 *
 * A rule of ours in another's chain is known by the chain that it jumps to. One that jumps to none of ours has a copy in
 * a chain that nothing jumps to, so that it is told from an equal rule of somebody else's, whatever is configured later.
 */
import {
  type Action,
  chains,
  chainsOf,
  type FamilyPlan,
  inPlace,
  isBuiltIn,
  type Rule,
  rulesOf,
  type TableName,
} from "../plan/plan.ts";
import { ruleSpecification } from "../render/iptables.ts";
import { normalRule } from "./normal-rule.ts";
import type { SavedChain } from "./saved.ts";

/** A rule of ours in a chain of others. */
export interface GuestRule {
  readonly chain: string;
  /** Where it goes in, from 1; at the end if undefined. */
  readonly at: number | undefined;
  readonly specification: string;
}

/** Ours of one table. */
export interface TableState {
  readonly table: TableName;
  /** Rules by chain. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  readonly guests: readonly GuestRule[];
}

const copiesOf = "ISTIO_ADDED_";
const ourChains: ReadonlySet<string> = new Set(Object.values(chains));

/** True for a chain that only we make. */
export function isOurs(chain: string): boolean {
  return ourChains.has(chain) || isCopies(chain);
}

/** True for a chain of copies, to which nothing jumps. */
export function isCopies(chain: string): boolean {
  return chain.startsWith(copiesOf);
}

/** As the plan wants it. */
export function plannedState(plan: Pick<FamilyPlan, "rules">, table: TableName): TableState {
  const rules = rulesOf(plan, table);
  const own = chainsOf(rules).map(
    (chain) => [chain, inPlace(rules.filter((rule) => rule.chain === chain)).map(ruleSpecification)] as const,
  );
  const guests = rules.filter(({ chain }) => isBuiltIn(chain));
  const copies = new Map<string, readonly string[]>();
  for (const rule of guests.filter(({ action }) => !isEvident(action))) {
    const name = `${copiesOf}${rule.chain}`;
    copies.set(name, [...(copies.get(name) ?? []), ruleSpecification(rule)]);
  }
  return { table, chains: new Map([...own, ...copies]), guests: guests.map(guest) };
}

function guest(rule: Rule): GuestRule {
  return { chain: rule.chain, at: rule.at, specification: ruleSpecification(rule) };
}

function isEvident(action: Action): boolean {
  return action.kind === "jump" && isOurs(action.chain);
}

/** As the kernel holds it; places are those that the rules have. */
export function heldState(table: TableName, saved: readonly SavedChain[]): TableState {
  const own = saved.filter(({ name }) => isOurs(name));
  const guests = saved
    .filter(({ name }) => !isOurs(name))
    .flatMap(({ name, rules }) => {
      const copies = own.find((chain) => chain.name === `${copiesOf}${name}`)?.rules.map(normalRule) ?? [];
      return rules.flatMap((specification, index): GuestRule[] => {
        const copy = copies.indexOf(normalRule(specification));
        if (copy >= 0) copies.splice(copy, 1);
        const [, target = ""] = /(?:^| )-[jg] (\S+)/.exec(specification) ?? [];
        return copy >= 0 || isOurs(target) ? [{ chain: name, at: index + 1, specification }] : [];
      });
    });
  return { table, chains: new Map(own.map(({ name, rules }) => [name, rules])), guests };
}

/** True when the kernel's rules of ours do what is wanted. */
export function isSame(held: TableState, wanted: TableState): boolean {
  return JSON.stringify(comparable(held)) === JSON.stringify(comparable(wanted));
}

function comparable({ chains: own, guests }: TableState): unknown {
  const rules = [...own].map(([name, list]) => [name, list.map(normalRule)] as const);
  const placed = new Map<string, string[]>();
  for (const { chain, at, specification } of guests) {
    const list = placed.get(chain) ?? [];
    list.splice(at === undefined ? list.length : at - 1, 0, normalRule(specification));
    placed.set(chain, list);
  }
  const sorted = (entries: Iterable<readonly [string, readonly string[]]>): unknown =>
    [...entries].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return [sorted(rules), sorted(placed)];
}

/** True when nothing of it is ours. */
export function isEmpty({ chains: own, guests }: TableState): boolean {
  return own.size === 0 && guests.length === 0;
}
