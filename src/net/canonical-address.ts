/**
 * One way to write each address and each range of them (RFC 5952, RFC 4632): what is the same is equal as text.
 */
import { SocketAddress } from "node:net";
import { ipv6Bytes } from "./embedded-address.ts";

/** An address of IPv6 in its shortest form; anything else as it is: an address of IPv4 has one form. */
export function canonicalAddress(text: string): string {
  // A zone is a name, and any of them is another place.
  if (text.includes("%") || ipv6Bytes(text) === undefined) return text;
  return new SocketAddress({ address: text, family: "ipv6" }).address;
}

/** A range such as `10.0.0.0/8` by its first address; one address as such. @param text a valid one */
export function canonicalRange(text: string): string {
  const [address = "", length] = text.split("/");
  if (length === undefined) return canonicalAddress(address);
  const bytes = ipv6Bytes(address);
  const network = (bytes ?? address.split(".").map(Number)).map((byte, index) => {
    const bits = Math.min(8, Math.max(0, Number(length) - 8 * index));
    return byte & (0xff << (8 - bits));
  });
  if (bytes === undefined) return `${network.join(".")}/${length}`;
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((network[2 * index] ?? 0) << 8) | (network[2 * index + 1] ?? 0)).toString(16),
  );
  return `${canonicalAddress(groups.join(":"))}/${length}`;
}
