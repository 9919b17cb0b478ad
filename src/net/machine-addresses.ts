/**
 * Addresses of the machine's own surroundings, where no server of anybody is: link-local ones, and those of metadata services of
 * clouds, which tell whoever asks who the machine is. A URL that somebody else wrote must not lead there. Pure.
 */
import { isIP, isIPv4 } from "node:net";
import { embeddedAddresses } from "./embedded-address.ts";
import { addressUse, blockListOf } from "./special-addresses.ts";

/** Of Alibaba, Azure, Oracle, Amazon, Google: those that are not link-local. */
const metadata = blockListOf([
  ...["100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"],
  ...["fd00:ec2::/32", "fd20:ce::/32", "fd00:c1::/32"],
]);

/** What of it an address is, as it stands; undefined for every other. */
export function surroundingUse(address: string): "link-local" | "metadata" | undefined {
  if (addressUse(address) === "link-local") return "link-local";
  return metadata.check(address, isIPv4(address) ? "ipv4" : "ipv6") ? "metadata" : undefined;
}

const words = { "link-local": "is link-local", metadata: "is that of a cloud's metadata service" } as const;

/** Why an address is not asked, as the rest of a sentence on it; through a translator (NAT64), too. Undefined where it may be asked. */
export function whyNotAsked(address: string): string | undefined {
  const [plain = ""] = address.split("%");
  if (isIP(plain) === 0) return "is no address";
  for (const one of [plain, ...embeddedAddresses(plain)]) {
    const use = surroundingUse(one);
    if (use !== undefined) return words[use];
  }
  return undefined;
}
