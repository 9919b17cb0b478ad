/** Whether an address is in a range, of either family. */
import { BlockList, isIPv6 } from "node:net";

/** @param bits length of the prefix */
export function inCidr(address: string, prefix: string, bits: number): boolean {
  const family = (text: string): "ipv4" | "ipv6" => (isIPv6(text) ? "ipv6" : "ipv4");
  if (family(address) !== family(prefix)) return false;
  const list = new BlockList();
  list.addSubnet(prefix, bits, family(prefix));
  return list.check(address, family(address));
}
