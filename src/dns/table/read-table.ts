/**
 * A table of what the control plane sent, read in pieces: ten thousand hosts take a while, in which others have a turn.
 */
import { isIPv4, isIPv6 } from "node:net";
import { ipv6Bytes } from "../../net/embedded-address.ts";
import { beforeSuffix, joined, root, type WireName, wireName } from "../wire/name.ts";
import { type NameInfo, readNameInfos } from "./name-info.ts";
import { type AddressKey, addressKey, NameTable, wildcard } from "./name-table.ts";
import { type PodPlace, type ShortNameDomains, shortNameDomains } from "./short-names.ts";

/** Most addresses of one family that a host has: no answer holds more. */
const maxAddresses = 2_000;

/** Hosts of a piece, and addresses of hosts: each is some microseconds' work. */
const pieceHosts = 200;
const pieceAddresses = 2_000;

/** At once, for who has nothing else to do. @throws the error of protobuf when `source` is no name table */
export function nameTableOf(source: Uint8Array, place: PodPlace): NameTable {
  const reading = tableInPieces(source, place);
  for (;;) {
    const { done, value } = reading.next();
    if (done === true) return value;
  }
}

/**
 * The same, with a turn for others after each piece.
 *
 * @param turn resolves once others had theirs
 * @throws the error of protobuf when `source` is no name table
 */
export async function readNameTable(
  source: Uint8Array,
  place: PodPlace,
  turn: () => Promise<void>,
): Promise<NameTable> {
  const reading = tableInPieces(source, place);
  for (;;) {
    const { done, value } = reading.next();
    if (done === true) return value;
    await turn();
  }
}

/** Pauses after each piece. */
function* tableInPieces(source: Uint8Array, place: PodPlace): Generator<void, NameTable, undefined> {
  const builder = new Builder(Buffer.from(source), place);
  let hosts = 0;
  let addresses = 0;
  for (const info of readNameInfos(builder.source)) {
    builder.add(info);
    hosts += 1;
    addresses += info.ips.length;
    if (hosts < pieceHosts && addresses < pieceAddresses) continue;
    [hosts, addresses] = [0, 0];
    yield;
  }
  return builder.built();
}

class Builder {
  /** A copy of its own: what it came in with may be much larger. */
  readonly source: Buffer;
  readonly #domains: ShortNameDomains | undefined;
  readonly #rows = new Map<WireName, number>();
  readonly #reverse = new Map<AddressKey, WireName[] | WireName>();
  readonly #index: number[] = [];
  #bytes = new Uint8Array(4_096);
  #used = 0;
  #hosts = 0;
  #addresses = 0;
  #skipped = 0;
  #hasWildcards = false;

  constructor(source: Buffer, place: PodPlace) {
    this.source = source;
    this.#domains = shortNameDomains(place);
  }

  add(info: NameInfo): void {
    const v4 = info.ips.filter((ip) => isIPv4(ip)).slice(0, maxAddresses);
    const v6 = info.ips.filter((ip) => isIPv6(ip) && !ip.includes("%")).slice(0, maxAddresses);
    const { names, hasShort } = keptNames(info, this.#domains);
    const [full] = names;
    if (full === undefined || v4.length + v6.length === 0) {
      this.#skipped += 1;
      return;
    }
    this.#index.push(this.#used, v4.length, v6.length, hasShort ? 1 : 0);
    const known = info.registry === "Kubernetes" && !full.startsWith(wildcard) ? full : undefined;
    for (const ip of v4) this.#write(ip.split(".").map(Number), v4.length === 1 ? known : undefined);
    for (const ip of v6) this.#write(ipv6Bytes(ip) ?? [], v6.length === 1 ? known : undefined);
    for (const name of names) {
      this.#rows.set(name, this.#hosts);
      this.#hasWildcards ||= name.startsWith(wildcard);
    }
    this.#hosts += 1;
    this.#addresses += v4.length + v6.length;
  }

  built(): NameTable {
    return new NameTable({
      source: this.source,
      facts: { hosts: this.#hosts, addresses: this.#addresses, skipped: this.#skipped },
      domains: this.#domains,
      rows: this.#rows,
      index: Uint32Array.from(this.#index),
      addresses: this.#bytes.slice(0, this.#used),
      reverse: this.#reverse,
      hasWildcards: this.#hasWildcards,
    });
  }

  /** @param only the name that has no other address of this family, if it is one to be known by */
  #write(address: ArrayLike<number>, only: WireName | undefined): void {
    if (this.#used + address.length > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(address, this.#used);
    this.#used += address.length;
    if (only === undefined) return;
    const key = addressKey(Uint8Array.from(address));
    const others = this.#reverse.get(key);
    if (others === undefined) this.#reverse.set(key, only);
    else if (typeof others === "string") this.#reverse.set(key, [others, only]);
    else others.push(only);
  }
}

interface KeptNames {
  /** The full one first. */
  readonly names: readonly WireName[];
  /** Its short names are those that every service has. */
  readonly hasShort: boolean;
}

/** Names that have to be in the map: all but those that a look makes into the full one. */
function keptNames(
  { host, registry, shortname, namespace, altHosts }: NameInfo,
  domains: ShortNameDomains | undefined,
): KeptNames {
  const full = wireName(host);
  if (full === undefined || full === root) return { names: [], hasShort: false };
  if (
    registry !== "Kubernetes" ||
    domains === undefined ||
    beforeSuffix(full, domains.services) === undefined
  )
    return { names: [full], hasShort: false };
  const others = altHosts.flatMap((alt) => wireName(alt) ?? []);
  const plain = shortname === "" || namespace === "" ? undefined : wireName(`${shortname}.${namespace}`);
  if (plain === undefined) return { names: [full, ...others], hasShort: false };
  if (joined(plain, domains.services) === full) return { names: [full, ...others], hasShort: true };
  const short = [
    `${shortname}.${namespace}`,
    `${shortname}.${namespace}.${domains.firstLabel}`,
    ...(namespace === domains.ownNamespace ? [shortname] : []),
  ];
  return { names: [full, ...others, ...short.flatMap((name) => wireName(name) ?? [])], hasShort: false };
}
