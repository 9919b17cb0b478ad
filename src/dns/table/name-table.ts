/**
 * The mesh's names, laid out for looking them up: names in the form of messages, addresses as bytes side by side.
 *
 * Of a Kubernetes service only its full name is kept; its short names are made into that when they are asked for, so that
 * ten thousand services take a few megabytes. A table never changes: a new one takes its place.
 */
import { isIPv4, isIPv6 } from "node:net";
import { ipv6Bytes } from "../../net/embedded-address.ts";
import { beforeSuffix, joined, root, type WireName, wireName } from "../wire/name.ts";
import { type NameInfo, readNameInfos } from "./name-info.ts";

/** Where a pod is, which says what short names stand for. */
export interface PodPlace {
  /** Such as `demo`. */
  readonly namespace: string;
  /** Such as `demo.svc.cluster.local`. */
  readonly domain: string;
}

/** The addresses of a host, each family's one after the other in `bytes`. */
export interface HostAddresses {
  readonly bytes: Uint8Array;
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

/** Most addresses of one family that a host has: no answer holds more. */
const maxAddresses = 2_000;

/** How many names a PTR answer gives for one address. */
const maxReverseNames = 8;

/** Numbers of the index for each host. */
const columns = 4;

/** A table in use. */
export class NameTable {
  readonly facts: TableFacts;
  /** What it was made from. */
  readonly #source: Uint8Array;
  readonly #hosts = new Map<WireName, number>();
  /** For each host: where its addresses begin, how many of each family there are, and whether it has short names. */
  readonly #index: Uint32Array;
  readonly #addresses: Uint8Array;
  readonly #domains: ShortNameDomains | undefined;
  #reverse: ReadonlyMap<string, readonly WireName[]> | undefined;

  /** @throws the error of protobuf when `source` is no name table */
  constructor(source: Uint8Array, place: PodPlace) {
    this.#source = Buffer.from(source);
    this.#domains = shortNameDomains(place);
    const index: number[] = [];
    const bytes: number[] = [];
    let addresses = 0;
    let skipped = 0;
    for (const info of readNameInfos(this.#source)) {
      const v4 = info.ips.filter((ip) => isIPv4(ip)).slice(0, maxAddresses);
      const v6 = info.ips.filter((ip) => isIPv6(ip) && !ip.includes("%")).slice(0, maxAddresses);
      const { names, hasShort } = this.#keptNames(info);
      if (names.length === 0 || v4.length + v6.length === 0) {
        skipped += 1;
        continue;
      }
      const row = index.length / columns;
      index.push(bytes.length, v4.length, v6.length, hasShort ? 1 : 0);
      for (const ip of v4) for (const byte of ip.split(".")) bytes.push(Number(byte));
      for (const ip of v6) bytes.push(...(ipv6Bytes(ip) ?? []));
      addresses += v4.length + v6.length;
      for (const name of names) this.#hosts.set(name, row);
    }
    this.#index = Uint32Array.from(index);
    this.#addresses = Uint8Array.from(bytes);
    this.facts = { hosts: index.length / columns, addresses, skipped };
  }

  /** Everything that was sent, one after the other. */
  infos(): Iterable<NameInfo> {
    return readNameInfos(this.#source);
  }

  /** The addresses of a host by its full name or a short one; undefined when there is no such host. */
  find(name: WireName): HostAddresses | undefined {
    const row = this.#hosts.get(name) ?? this.#rowOfShort(name);
    if (row === undefined) return undefined;
    const at = columns * row;
    const start = this.#index[at] ?? 0;
    const v4 = this.#index[at + 1] ?? 0;
    const v6 = this.#index[at + 2] ?? 0;
    return { bytes: this.#addresses.subarray(start, start + 4 * v4 + 16 * v6), v4, v6 };
  }

  /**
   * The names that an address is known by, given as it stands in a record; the longest first, so a pod's before its
   * service's.
   *
   * Only names of Kubernetes that have no other address of its family: many share an endpoint's, and who has authority over
   * those outside is somebody else. Never short names and other hosts of a service.
   */
  namesOf(address: Uint8Array): readonly WireName[] {
    this.#reverse ??= this.#byAddress();
    return this.#reverse.get(keyOf(address)) ?? [];
  }

  #byAddress(): ReadonlyMap<string, readonly WireName[]> {
    const names = new Map<string, WireName[]>();
    const add = (name: WireName, address: Uint8Array): void => {
      const known = names.get(keyOf(address));
      if (known === undefined) names.set(keyOf(address), [name]);
      else if (!known.includes(name)) known.push(name);
    };
    for (const { host, registry } of this.infos()) {
      const name = registry === "Kubernetes" ? wireName(host) : undefined;
      const found = name === undefined || name.startsWith(wildcard) ? undefined : this.find(name);
      if (name === undefined || found === undefined) continue;
      const { bytes, v4, v6 } = found;
      if (v4 === 1) add(name, bytes.subarray(0, 4));
      if (v6 === 1) add(name, bytes.subarray(4 * v4));
    }
    const longestFirst = (one: WireName, other: WireName): number =>
      other.length - one.length || (one < other ? -1 : 1);
    for (const known of names.values()) known.sort(longestFirst).splice(maxReverseNames);
    return names;
  }

  /** Names that have to be in the map: all but those that a look makes into the full one. */
  #keptNames({ host, registry, shortname, namespace, altHosts }: NameInfo): KeptNames {
    const full = wireName(host);
    const domains = this.#domains;
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

  /** `web`, `web.demo` and `web.demo.svc` for `web.demo.svc.cluster.local`. */
  #rowOfShort(name: WireName): number | undefined {
    const domains = this.#domains;
    if (domains === undefined) return undefined;
    const full = fullName(name, domains);
    const row = full === undefined ? undefined : this.#hosts.get(full);
    return row !== undefined && this.#index[columns * row + 3] === 1 ? row : undefined;
  }
}

function keyOf(address: Uint8Array): string {
  return Buffer.from(address).toString("latin1");
}

/** What every wildcard begins with. */
export const wildcard = "\u0001*";

interface KeptNames {
  readonly names: readonly WireName[];
  /** Its short names are those that every service has. */
  readonly hasShort: boolean;
}

interface ShortNameDomains {
  readonly ownNamespace: string;
  readonly firstLabel: string;
  /** `svc.cluster.local` */
  readonly services: WireName;
  /** `demo.svc.cluster.local`; undefined without a namespace. */
  readonly own: WireName | undefined;
  /** `svc` as a name. */
  readonly first: WireName;
  /** `cluster.local` */
  readonly rest: WireName;
}

/** Undefined for a pod without a domain. */
function shortNameDomains({ namespace, domain }: PodPlace): ShortNameDomains | undefined {
  const plain = domain.toLowerCase().replace(/\.$/, "");
  const own = namespace.toLowerCase();
  const services = own !== "" && plain.startsWith(`${own}.`) ? plain.slice(own.length + 1) : plain;
  const wire = wireName(services);
  if (wire === undefined) return undefined;
  const [firstLabel = "", ...rest] = services.split(".");
  const first = wireName(firstLabel);
  if (first === undefined) return undefined;
  return {
    ownNamespace: own,
    firstLabel,
    services: wire,
    own: own === "" ? undefined : wireName(`${own}.${services}`),
    first,
    rest: wireName(rest.join(".")) ?? root,
  };
}

/** What a short name would stand for. */
function fullName(name: WireName, { own, services, first, rest }: ShortNameDomains): WireName | undefined {
  switch (labelsOf(name, 4)) {
    case 1:
      return own === undefined ? undefined : joined(name, own);
    case 2:
      return joined(name, services);
    case 3:
      return name.endsWith(first) ? joined(name, rest) : undefined;
    default:
      return undefined;
  }
}

/** How many labels a name has, as far as `most`. */
function labelsOf(name: WireName, most: number): number {
  let labels = 0;
  for (let at = 0; labels < most; labels += 1) {
    const length = name.charCodeAt(at);
    if (length === 0) break;
    at += 1 + length;
  }
  return labels;
}
