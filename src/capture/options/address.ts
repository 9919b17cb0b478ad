/**
 * Addresses and CIDR blocks as rules name them: one spelling for one block, that in which the kernel gives it back.
 */
import { isIP } from "node:net";

/** What a rule is for: iptables and ip6tables, or `ip` and `ip6` of nftables. */
export type Family = "ipv4" | "ipv6";

/** A block of addresses, host bits cleared. */
export interface Cidr {
  readonly family: Family;
  /** `10.0.0.0/8`; a single address has its `/32` or `/128`. */
  readonly text: string;
}

/** Bits of an address. */
const bits: Readonly<Record<Family, number>> = { ipv4: 32, ipv6: 128 };

/** Undefined for what is no block of addresses; an address alone is a block of one. */
export function parseCidr(text: string): Cidr | undefined {
  const [, address = "", length] = /^([\da-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0) return undefined;
  const family = version === 4 ? "ipv4" : "ipv6";
  const size = bits[family];
  const prefix = length === undefined ? size : Number(length);
  if (prefix > size) return undefined;
  const hostBits = BigInt(size - prefix);
  const value = (addressValue(address, family) >> hostBits) << hostBits;
  return { family, text: `${addressText(value, family)}/${prefix}` };
}

/** True when both blocks have addresses in common. */
export function overlaps(one: Cidr, other: Cidr): boolean {
  if (one.family !== other.family) return false;
  const [first, second] = [parts(one), parts(other)];
  const shift = BigInt(bits[one.family] - Math.min(first.prefix, second.prefix));
  return first.value >> shift === second.value >> shift;
}

/** True for a block that lies in 127.0.0.0/8, and for ::1. */
export function isLoopback(cidr: Cidr): boolean {
  const loopback = loopbacks[cidr.family];
  return overlaps(cidr, loopback) && parts(cidr).prefix >= parts(loopback).prefix;
}

const loopbacks: Readonly<Record<Family, Cidr>> = {
  ipv4: { family: "ipv4", text: "127.0.0.0/8" },
  ipv6: { family: "ipv6", text: "::1/128" },
};

function parts({ family, text }: Cidr): { readonly value: bigint; readonly prefix: number } {
  const [address = "", prefix = ""] = text.split("/");
  return { value: addressValue(address, family), prefix: Number(prefix) };
}

function addressValue(address: string, family: Family): bigint {
  if (family === "ipv4") return address.split(".").reduce((value, part) => (value << 8n) | BigInt(part), 0n);
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...octets: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = "", tail] = plain.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const [before, after] = [groups(head), groups(tail ?? "")];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

function addressText(value: bigint, family: Family): string {
  if (family === "ipv4") return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((value >> BigInt(16 * (7 - index))) & 0xffffn).toString(16),
  );
  // The longest run of zeros is left out, the first of equal ones (RFC 5952, 4.2); one alone is not.
  const runs = [...groups.join(":").matchAll(/(?<=^|:)0(?::0)+(?=:|$)/g)];
  const longest = runs.reduce((best, [run]) => (run.length > best.length ? run : best), "");
  const whole = groups.join(":");
  const [run] = runs.filter(([candidate]) => candidate === longest);
  if (run === undefined) return whole;
  const end = run.index + longest.length;
  return `${whole.slice(0, Math.max(0, run.index - 1))}::${whole.slice(end + 1)}`;
}
