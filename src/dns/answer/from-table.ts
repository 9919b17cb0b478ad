/**
 * What the table alone says to a query, as a function of values.
 */
import { anyClass, internetClass, type as types } from "../wire/constants.ts";
import type { WireName } from "../wire/name.ts";
import type { Query } from "../wire/query.ts";
import { type Found, lookUp } from "../table/lookup.ts";
import type { NameTable } from "../table/name-table.ts";
import { reversedAddress } from "../table/reverse.ts";

/** What it says. */
export type TableVerdict =
  /** It has the name's addresses, of the family that is asked for or not. */
  | { readonly kind: "addresses"; readonly found: Found }
  /** It has names for the address. */
  | { readonly kind: "names"; readonly names: readonly WireName[] }
  /** Somebody else has to say it. */
  | {
      readonly kind: "forward";
      /** The table has the name, so it exists, whatever an upstream says that does not know of it. */
      readonly found: Found | undefined;
    };

/** @param table undefined while there is none */
export function askTable(
  table: Pick<NameTable, "find" | "namesOf" | "hasWildcards"> | undefined,
  query: Pick<Query, "name" | "type" | "class">,
  searchDomains: readonly WireName[],
): TableVerdict {
  if (table === undefined || (query.class !== internetClass && query.class !== anyClass))
    return { kind: "forward", found: undefined };
  if (query.type === types.ptr) {
    const address = reversedAddress(query.name);
    const names = address === undefined ? [] : table.namesOf(address);
    return names.length === 0 ? { kind: "forward", found: undefined } : { kind: "names", names };
  }
  const found = lookUp(table, query.name, searchDomains);
  if (found !== undefined && (query.type === types.a || query.type === types.aaaa))
    return { kind: "addresses", found };
  return { kind: "forward", found };
}
