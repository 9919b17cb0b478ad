/**
 * Addresses of IPv4 inside those of IPv6: a translator on the way makes the one of the other (RFC 4291, 6052, 8215).
 */
import { isIPv6 } from "./ip-version.ts";

/** The addresses of IPv4 that an address of IPv6 may lead to; none for one that leads to a host of IPv6. */
export function embeddedAddresses(address: string): readonly string[] {
  const bytes = ipv6Bytes(address);
  if (bytes === undefined) return [];
  const starts = (...prefix: readonly number[]): boolean => prefix.every((byte, at) => bytes[at] === byte);
  const zeros = (from: number, to: number): boolean => bytes.slice(from, to).every((byte) => byte === 0);
  // IPv4-mapped: the kernel takes it for IPv4.
  if (zeros(0, 10) && bytes[10] === 0xff && bytes[11] === 0xff) return [quad(bytes, 12, 13, 14, 15)];
  if (!starts(0x00, 0x64, 0xff, 0x9b)) return [];
  if (zeros(4, 12)) return [quad(bytes, 12, 13, 14, 15)];
  if (!starts(0x00, 0x64, 0xff, 0x9b, 0x00, 0x01)) return [];
  // How long the translator's prefix is, only its network knows: 48, 56, 64 or 96 bits, the ninth byte left out.
  const candidates = [
    quad(bytes, 6, 7, 9, 10),
    quad(bytes, 7, 9, 10, 11),
    quad(bytes, 9, 10, 11, 12),
    quad(bytes, 12, 13, 14, 15),
  ];
  // What begins with zeros is what stands before an address, or behind it.
  const written = candidates.filter((candidate) => !candidate.startsWith("0."));
  return written.length === 0 ? ["0.0.0.0"] : written;
}

function quad(bytes: readonly number[], ...places: readonly [number, number, number, number]): string {
  return places.map((place) => bytes[place]).join(".");
}

/** The 16 bytes of an address of IPv6, without its zone; undefined for what is none. */
export function ipv6Bytes(address: string): readonly number[] | undefined {
  const [plain = ""] = address.split("%");
  if (!isIPv6(plain)) return undefined;
  // The URL standard writes the last 32 bits in hexadecimal as well.
  const [head = "", tail] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split("::");
  const groups = (text: string | undefined): readonly number[] =>
    text === undefined || text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const [left, right] = [groups(head), groups(tail)];
  const middle = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => 0);
  return [...left, ...middle, ...right].flatMap((group) => [group >> 8, group & 0xff]);
}
