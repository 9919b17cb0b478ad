/**
 * How a name is answered from the table: which of Istio's rules fits, as a function of values.
 */
import { beforeSuffix, joined, parentOf, type WireName } from "../wire/name.ts";
import { type HostAddresses, type NameTable, wildcard } from "./name-table.ts";

/** Which rule fits. */
export type Rule =
  /** The name is in the table, or is a short name of one that is. */
  | "name"
  /** It is with one of the search domains taken away. */
  | "search domain"
  /** A wildcard of the table covers it. */
  | "wildcard"
  | "wildcard and search domain";

/** What there is for a name. */
export interface Found {
  readonly rule: Rule;
  readonly addresses: HostAddresses;
  /** The name that the addresses are of, where it is not the one that was asked for: a CNAME leads to it. */
  readonly target: WireName | undefined;
  /** The name in the table. */
  readonly entry: WireName;
}

/** What is asked of a table. */
export type Names = Pick<NameTable, "find" | "hasWildcards">;

/**
 * Look a name up: itself, then without each search domain, then wildcards from the most specific to the least.
 *
 * Resolvers add search domains by themselves, and ask nobody with the table in mind: what is not in it below such a
 * domain is meant to be the name before it.
 */
export function lookUp(table: Names, name: WireName, searchDomains: readonly WireName[]): Found | undefined {
  const own = table.find(name);
  if (own !== undefined) return { rule: "name", addresses: own, target: undefined, entry: name };
  for (const domain of searchDomains) {
    const target = beforeSuffix(name, domain);
    const addresses = target === undefined ? undefined : table.find(target);
    if (target !== undefined && addresses !== undefined)
      return { rule: "search domain", addresses, target, entry: target };
  }
  return table.hasWildcards ? ofWildcard(table, name, searchDomains) : undefined;
}

function ofWildcard(table: Names, name: WireName, searchDomains: readonly WireName[]): Found | undefined {
  const shorter = searchDomains.flatMap((domain) => beforeSuffix(name, domain) ?? []);
  const candidates = [
    ...wildcardsOf(name).map((entry) => ({ entry, target: undefined, labels: entry.length })),
    ...shorter.flatMap((target) =>
      // The domain that was taken away counts: the more of a name is fixed, the more specific a wildcard is.
      wildcardsOf(target).map((entry) => ({
        entry,
        target,
        labels: entry.length + name.length - target.length,
      })),
    ),
  ].toSorted((a, b) => b.labels - a.labels);
  for (const { entry, target } of candidates) {
    const addresses = table.find(entry);
    if (addresses === undefined) continue;
    return {
      rule: target === undefined ? "wildcard" : "wildcard and search domain",
      addresses,
      target,
      entry,
    };
  }
  return undefined;
}

/** `*.b.c` and `*.c` for `a.b.c`. */
function wildcardsOf(name: WireName): readonly WireName[] {
  const found: WireName[] = [];
  for (let rest = parentOf(name); rest !== undefined && rest.length > 1; rest = parentOf(rest))
    found.push(joined(`${wildcard}\0`, rest));
  return found;
}
