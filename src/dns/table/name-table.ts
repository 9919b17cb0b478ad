/**
 * The mesh's names, laid out for looking them up: names in the form of messages, addresses as bytes side by side.
 *
 * Of a Kubernetes service only its full name is kept; its short names are made into that when they are asked for, so that
 * ten thousand services take a few megabytes. A table never changes: a new one takes its place.
 */
import type { WireName } from "../wire/name.ts";
import { type NameInfo, readNameInfos } from "./name-info.ts";
import { fullName, type ShortNameDomains } from "./short-names.ts";

/** The addresses of a host: in `bytes` from `start` on, those of IPv4 before those of IPv6. */
export interface HostAddresses {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly v4: number;
  readonly v6: number;
}

/** What is counted of a table. */
export interface TableFacts {
  readonly hosts: number;
  readonly addresses: number;
  /** Hosts without a usable name or address, which nobody is answered. */
  readonly skipped: number;
}

/** What a table is made of. */
export interface TableParts {
  /** What it was read from. */
  readonly source: Uint8Array;
  readonly facts: TableFacts;
  readonly domains: ShortNameDomains | undefined;
  /** Each name's row of the index. */
  readonly rows: ReadonlyMap<WireName, number>;
  /** For each host `columns` numbers: where its addresses begin, how many of each family, and 1 if it has short names. */
  readonly index: Uint32Array;
  readonly addresses: Uint8Array;
  /** Names that may be what an address is known by. */
  readonly reverse: ReadonlyMap<AddressKey, readonly WireName[] | WireName>;
  /** Some of its names begin with one. */
  readonly hasWildcards: boolean;
}

/** An address as a text of one character per byte. */
export type AddressKey = string;

/** Numbers of the index for each host. */
export const columns = 4;

/** What every wildcard begins with. */
export const wildcard = "\u0001*";

/** How many names a PTR answer gives for one address. */
const maxReverseNames = 8;

/** A table in use. */
export class NameTable {
  readonly #parts: TableParts;

  constructor(parts: TableParts) {
    this.#parts = parts;
  }

  get facts(): TableFacts {
    return this.#parts.facts;
  }

  get hasWildcards(): boolean {
    return this.#parts.hasWildcards;
  }

  /** Everything that was sent, one after the other. */
  infos(): Iterable<NameInfo> {
    return readNameInfos(this.#parts.source);
  }

  /** The addresses of a host by its full name or a short one; undefined when there is no such host. */
  find(name: WireName): HostAddresses | undefined {
    const { rows, index, addresses } = this.#parts;
    const row = rows.get(name) ?? this.#rowOfShort(name);
    if (row === undefined) return undefined;
    const at = columns * row;
    return { bytes: addresses, start: index[at] ?? 0, v4: index[at + 1] ?? 0, v6: index[at + 2] ?? 0 };
  }

  /**
   * The names that an address is known by, given as it stands in a record; the longest first, so a pod's before its
   * service's.
   *
   * Only names of Kubernetes that have no other address of its family: many share an endpoint's, and who has authority over
   * those outside is somebody else. Never short names and other hosts of a service.
   */
  namesOf(address: Uint8Array): readonly WireName[] {
    const key = addressKey(address);
    const names = this.#parts.reverse.get(key);
    if (names === undefined) return [];
    const longestFirst = (one: WireName, other: WireName): number =>
      other.length - one.length || (one < other ? -1 : 1);
    return (typeof names === "string" ? [names] : [...new Set(names)])
      .filter((name) => this.#isOnlyOf(name, address))
      .toSorted(longestFirst)
      .slice(0, maxReverseNames);
  }

  /** A name may have come a second time, with other addresses. */
  #isOnlyOf(name: WireName, address: Uint8Array): boolean {
    const found = this.find(name);
    if (found === undefined) return false;
    const isV4 = address.length === 4;
    const at = isV4 ? found.start : found.start + 4 * found.v4;
    return (
      (isV4 ? found.v4 : found.v6) === 1 && address.every((byte, index) => byte === found.bytes[at + index])
    );
  }

  /** `web`, `web.demo` and `web.demo.svc` for `web.demo.svc.cluster.local`. */
  #rowOfShort(name: WireName): number | undefined {
    const { domains, rows, index } = this.#parts;
    if (domains === undefined) return undefined;
    const full = fullName(name, domains);
    const row = full === undefined ? undefined : rows.get(full);
    return row !== undefined && index[columns * row + 3] === 1 ? row : undefined;
  }
}

/** Of an address as it stands in a record. */
export function addressKey(address: Uint8Array): AddressKey {
  return String.fromCharCode(...address);
}
