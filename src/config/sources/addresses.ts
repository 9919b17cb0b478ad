/**
 * The addresses of this instance and what they say about families.
 */
import { isIPv4 } from "node:net";
import { isIP, isIPv6 } from "../../net/ip-version.ts";

/** An address of an interface that is up. */
export interface InterfaceAddress {
  readonly name: string;
  readonly address: string;
}

/** Loopback and any-address of the pod's families. */
export interface AddressFamilies {
  /** Every address is IPv6. */
  readonly isIPv6Only: boolean;
  readonly localhost: string;
  readonly wildcard: string;
  /** The same of the other family; undefined unless both are to be served. */
  readonly additional: { readonly localhost: string; readonly wildcard: string } | undefined;
  /** Envoy's `dns_lookup_family`. */
  readonly dnsLookupFamily: "V4_ONLY" | "V6_ONLY" | "ALL";
}

/** Where addresses come from. */
export interface AddressSources {
  /** INSTANCE_IP, or what stands for it. */
  readonly instanceIp: string;
  readonly interfaces: readonly InterfaceAddress[];
  /** Names of interfaces to leave out. */
  readonly excluded: readonly string[];
}

/** Every address once, the pod's own first; loopback when there is none. */
export function instanceAddresses({ instanceIp, interfaces, excluded }: AddressSources): readonly string[] {
  const own = isIP(instanceIp) === 0 ? [] : [instanceIp];
  const others = interfaces.filter(({ name }) => !excluded.includes(name)).map(({ address }) => address);
  const addresses = [...new Set([...own, ...others])];
  return addresses.length === 0 ? ["127.0.0.1", "::1"] : addresses;
}

/**
 * True while an interface has no address yet, only the unspecified one, or while there is none at all.
 *
 * @param links interfaces that are up and could get one; none where nobody need wait for them
 */
export function isUnsettled(interfaces: readonly InterfaceAddress[], links: readonly string[]): boolean {
  if (interfaces.some(({ address }) => address === "0.0.0.0" || address === "::")) return true;
  return interfaces.length === 0 && links.length > 0;
}

const v4 = { localhost: "127.0.0.1", wildcard: "0.0.0.0" };
const v6 = { localhost: "::1", wildcard: "::" };

/** Families of `addresses`; with both, IPv4 alone is served unless `isDualStack`. */
export function addressFamilies(addresses: readonly string[], isDualStack: boolean): AddressFamilies {
  const hasV4 = addresses.some((address) => isIPv4(address));
  const hasV6 = addresses.some((address) => isIPv6(address));
  if (hasV4 && hasV6 && isDualStack) {
    const [first, second] = isIPv6(addresses[0] ?? "") ? [v6, v4] : [v4, v6];
    return { ...first, isIPv6Only: false, additional: second, dnsLookupFamily: "ALL" };
  }
  if (hasV6 && !hasV4) return { ...v6, isIPv6Only: true, additional: undefined, dnsLookupFamily: "V6_ONLY" };
  return { ...v4, isIPv6Only: false, additional: undefined, dnsLookupFamily: "V4_ONLY" };
}
