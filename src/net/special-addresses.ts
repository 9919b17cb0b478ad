/**
 * What is not an address of one host that anybody can reach: IANA's special-purpose address registries for IPv4 and
 * IPv6 (RFC 6890 and its successors), and the registries of multicast and of global unicast IPv6.
 */
import { BlockList, isIPv4 } from "node:net";

/** What an address is for. */
export type AddressUse =
  | "public"
  | "this machine"
  | "link-local"
  | "private network"
  /** Reserved, multicast, for documentation, for tests, or that of a translator or tunnel. */
  | "special";

/** Whole families of use; the first that holds an address decides. */
const uses: readonly (readonly [use: AddressUse, cidrs: readonly string[]])[] = [
  ["this machine", ["0.0.0.0/8", "127.0.0.0/8", "::/128", "::1/128"]],
  ["link-local", ["169.254.0.0/16", "fe80::/10"]],
  ["private network", ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]],
  [
    "special",
    [
      ...[
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
      ],
      // Multicast, and what was kept for later, the limited broadcast included.
      ...["224.0.0.0/4", "240.0.0.0/4"],
      // Protocol assignments with Teredo and ORCHID, documentation, 6to4.
      ...["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"],
    ],
  ],
  // Of IPv6 only this is given to anybody.
  ["public", ["0.0.0.0/0", "2000::/3"]],
];

const lists = uses.map(([use, cidrs]) => [use, blockListOf(cidrs)] as const);

/** What an address of either family is for. One that only wraps another is special: ask for the one inside. */
export function addressUse(address: string): AddressUse {
  const [plain = ""] = address.split("%");
  const family = isIPv4(plain) ? "ipv4" : "ipv6";
  return lists.find(([, list]) => list.check(plain, family))?.[0] ?? "special";
}

/** @param cidrs each an address with the length of its prefix */
export function blockListOf(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = "", length] = cidr.split("/");
    list.addSubnet(address, Number(length), isIPv4(address) ? "ipv4" : "ipv6");
  }
  return list;
}
