/**
 * On which port of this network namespace a connection has ended, whatever it was sent to: rules of netfilter change
 * that on the way, and only the other end's row of `/proc/net/tcp{,6}` (proc(5)) shows it.
 */
import { isIPv4, type Socket } from "node:net";
import { readTcpTable, tcpTables } from "./tcp-rows.ts";

/** Undefined where the other end is not in this namespace. */
export function acceptedAt({ localAddress = "", localPort = 0 }: Socket): number | undefined {
  const peer = `${addressDigits(localAddress)}:${portDigits(localPort)}`;
  for (const table of tcpTables) {
    const port = peerPort(readTcpTable(table), peer);
    if (port !== undefined) return port;
  }
  return undefined;
}

/** @param peer address and port, as digits; of an IPv4 address in a table of IPv6 the end is the same */
export function peerPort(table: string, peer: string): number | undefined {
  for (const row of table.split("\n").slice(1)) {
    const [, local = "", remote = ""] = row.trim().split(/\s+/);
    if (remote.endsWith(peer)) return Number.parseInt(local.split(":")[1] ?? "", 16);
  }
  return undefined;
}

/** As the kernel prints it on machines of either byte order that outrider runs on: each four bytes in reverse. */
export function addressDigits(address: string): string {
  const bytes = isIPv4(address) ? address.split(".").map(Number) : bytesOf(address);
  const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, "0");
  return Array.from({ length: bytes.length / 4 }, (_, index) =>
    bytes
      .slice(4 * index, 4 * index + 4)
      .toReversed()
      .map(hex)
      .join(""),
  ).join("");
}

function bytesOf(address: string): readonly number[] {
  const [head = "", tail] = address.replace(/%.*$/, "").split("::");
  const groups = (text: string | undefined): number[] =>
    (text ?? "") === "" ? [] : (text ?? "").split(":").map((group) => Number.parseInt(group, 16));
  const [before, after] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 255]);
}

function portDigits(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}
