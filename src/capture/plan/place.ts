/** What differs between the families. */
import type { Cidr, Family } from "../options/address.ts";
import type { CaptureOptions } from "../options/options.ts";

/** Addresses that mean something to the rules of a family. */
export interface FamilyPlace {
  readonly family: Family;
  /** This pod. */
  readonly loopback: string;
  /** From here Envoy calls the application (Istio's passthrough source address). */
  readonly passthrough: string;
  /** Name servers whose queries are captured: `*`, or those of this family; undefined leaves DNS alone. */
  readonly nameServers: "*" | readonly string[] | undefined;
}

/** Of the family, under these options. */
export function placeOf(family: Family, { loopbackCidr, dns }: CaptureOptions): FamilyPlace {
  const all = dns?.servers;
  const servers = all === undefined || all === "*" ? all : textsOf(all, family);
  return {
    family,
    loopback: family === "ipv4" ? loopbackCidr.text : "::1/128",
    passthrough: family === "ipv4" ? "127.0.0.6/32" : "::6/128",
    nameServers: servers?.length === 0 ? undefined : servers,
  };
}

/** The blocks of one family. */
export function textsOf(cidrs: readonly Cidr[], family: Family): readonly string[] {
  return cidrs.filter((cidr) => cidr.family === family).map(({ text }) => text);
}
