/**
 * Addresses that nothing is fetched from: a URL that the control plane passes on must not make the agent ask a
 * cloud's metadata service, or a service of this machine that trusts it. What is neither public nor a private
 * network's is no server of anybody. Pure.
 */
import { isIP } from "node:net";
import { embeddedAddresses } from "../../net/embedded-address.ts";
import { addressUse, blockListOf } from "../../net/special-addresses.ts";

/** What a server may be. */
export interface AddressPolicy {
  /** An address of this machine. */
  readonly loopback: boolean;
  /** An address of a private network. */
  readonly privateNetwork: boolean;
}

/** Says why nothing may be fetched from an address; undefined when it may. */
export type AddressGuard = (address: string, policy: AddressPolicy) => string | undefined;

/** Of Alibaba, Azure, Oracle, Amazon, Google: those that are not link-local. */
const metadata = blockListOf([
  ...["100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"],
  ...["fd00:ec2::/32", "fd20:ce::/32", "fd00:c1::/32"],
]);

/** @param blockedCidrs further ranges; each must be a CIDR for which `isCidr` holds */
export function createAddressGuard(blockedCidrs: readonly string[]): AddressGuard {
  const blocked = blockListOf(blockedCidrs);
  const judge = (address: string, policy: AddressPolicy): string | undefined => {
    const family = isIP(address) === 4 ? "ipv4" : "ipv6";
    const use = addressUse(address);
    if (use === "link-local") return "is link-local";
    if (metadata.check(address, family)) return "is that of a cloud's metadata service";
    if (blocked.check(address, family)) return "is in BLOCKED_CIDRS_IN_WASM_FETCH";
    if (use === "this machine") return policy.loopback ? undefined : "is one of this machine";
    if (use === "private network") return policy.privateNetwork ? undefined : "is one of a private network";
    return use === "public" ? undefined : "is not one of a single host in the internet";
  };
  return (address, policy) => {
    const [plain = ""] = address.split("%");
    if (isIP(plain) === 0) return "is no address";
    // Where it leads through a translator decides, for each place that it may lead to.
    const inside = embeddedAddresses(plain);
    if (inside.length === 0) return judge(plain, policy);
    if (blocked.check(plain, "ipv6")) return "is in BLOCKED_CIDRS_IN_WASM_FETCH";
    return inside.map((one) => judge(one, policy)).find((reason) => reason !== undefined);
  };
}
