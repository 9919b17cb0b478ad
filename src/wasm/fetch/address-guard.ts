/**
 * Addresses that nothing is fetched from: a URL that the control plane passes on must not make the agent ask a
 * cloud's metadata service, or a service of this machine that trusts it. What is neither public nor a private
 * network's is no server of anybody. Pure.
 */
import { isIP } from "node:net";
import { embeddedAddresses } from "../../net/embedded-address.ts";
import { surroundingUse } from "../../net/machine-addresses.ts";
import { addressUse, blockListOf } from "../../net/special-addresses.ts";

/** What a server may be. */
export interface AddressPolicy {
  /** An address of this machine. */
  readonly loopback: boolean;
  /** An address of a private network. */
  readonly privateNetwork: boolean;
}

/** Why nothing may be fetched from an address. */
export interface AddressRefusal {
  readonly code: keyof typeof refusals;
  /** As the rest of a sentence on the address. */
  readonly words: string;
}

/** Says why nothing may be fetched from an address; undefined when it may. */
export type AddressGuard = (address: string, policy: AddressPolicy) => AddressRefusal | undefined;

const refusals = {
  "no-address": "is no address",
  "link-local": "is link-local",
  metadata: "is that of a cloud's metadata service",
  blocked: "is in BLOCKED_CIDRS_IN_WASM_FETCH",
  "this-machine": "is one of this machine",
  "private-network": "is one of a private network",
  special: "is not one of a single host in the internet",
} as const;

function refusal(code: keyof typeof refusals): AddressRefusal {
  return { code, words: refusals[code] };
}

/** @param blockedCidrs further ranges; each must be a CIDR for which `isCidr` holds */
export function createAddressGuard(blockedCidrs: readonly string[]): AddressGuard {
  const blocked = blockListOf(blockedCidrs);
  const judge = (address: string, policy: AddressPolicy): AddressRefusal | undefined => {
    const family = isIP(address) === 4 ? "ipv4" : "ipv6";
    const surrounding = surroundingUse(address);
    if (surrounding !== undefined) return refusal(surrounding);
    const use = addressUse(address);
    if (blocked.check(address, family)) return refusal("blocked");
    if (use === "this machine") return policy.loopback ? undefined : refusal("this-machine");
    if (use === "private network") return policy.privateNetwork ? undefined : refusal("private-network");
    return use === "public" ? undefined : refusal("special");
  };
  return (address, policy) => {
    const [plain = ""] = address.split("%");
    if (isIP(plain) === 0) return refusal("no-address");
    // Where it leads through a translator decides, for each place that it may lead to.
    const inside = embeddedAddresses(plain);
    if (inside.length === 0) return judge(plain, policy);
    if (blocked.check(plain, "ipv6")) return refusal("blocked");
    return inside.map((one) => judge(one, policy)).find((reason) => reason !== undefined);
  };
}
