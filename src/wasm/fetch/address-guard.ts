/**
 * Addresses that nothing is fetched from: a URL that the control plane passes on must not make the agent ask a
 * cloud's metadata service, or a service of this machine that trusts it. Pure.
 */
import { BlockList, isIP } from "node:net";

/** What a server may be. */
export interface AddressPolicy {
  /** An address of this machine. */
  readonly loopback: boolean;
  /** An address of a private network. */
  readonly privateNetwork: boolean;
}

/** Says why nothing may be fetched from an address; undefined when it may. */
export type AddressGuard = (address: string, policy: AddressPolicy) => string | undefined;

const linkLocal = ["169.254.0.0/16", "fe80::/10"];
const metadata = ["100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::/32"];
const loopback = ["127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128"];
const privateNetwork = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];

/** @param blockedCidrs further ranges; each must be a CIDR for which `isCidr` holds */
export function createAddressGuard(blockedCidrs: readonly string[]): AddressGuard {
  const lists = {
    linkLocal: listOf(linkLocal),
    metadata: listOf(metadata),
    loopback: listOf(loopback),
    privateNetwork: listOf(privateNetwork),
    blocked: listOf(blockedCidrs),
  };
  return (address, policy) => {
    const [plain = ""] = address.split("%");
    const version = isIP(plain);
    if (version === 0) return "is no address";
    const isIn = (list: BlockList): boolean => list.check(plain, version === 4 ? "ipv4" : "ipv6");
    if (isIn(lists.linkLocal)) return "is link-local";
    if (isIn(lists.metadata)) return "is that of a cloud's metadata service";
    if (isIn(lists.blocked)) return "is in BLOCKED_CIDRS_IN_WASM_FETCH";
    if (!policy.loopback && isIn(lists.loopback)) return "is one of this machine";
    if (!policy.privateNetwork && isIn(lists.privateNetwork)) return "is one of a private network";
    return undefined;
  };
}

/** True for an address with the length of its prefix, of either family. */
export function isCidr(text: string): boolean {
  const { address, version, prefix } = parts(text);
  return (
    address !== undefined && Number.isInteger(prefix) && prefix >= 0 && prefix <= (version === 4 ? 32 : 128)
  );
}

function parts(text: string): { address: string | undefined; version: number; prefix: number } {
  const [address = "", length = "", ...further] = text.split("/");
  const version = isIP(address);
  const isWhole = version !== 0 && further.length === 0 && /^\d{1,3}$/.test(length);
  return { address: isWhole ? address : undefined, version, prefix: Number(length) };
}

function listOf(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const { address = "", version, prefix } = parts(cidr);
    list.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
    if (version !== 4) continue;
    // The same address through a translator, or written as one of IPv6: mapped, NAT64, 6to4.
    list.addSubnet(`::ffff:${address}`, 96 + prefix, "ipv6");
    list.addSubnet(`64:ff9b::${address}`, 96 + prefix, "ipv6");
    list.addSubnet(`2002:${hexadecimal(address)}::`, 16 + prefix, "ipv6");
  }
  return list;
}

function hexadecimal(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
