/**
 * Where a connection was sent before the kernel redirected it here: SO_ORIGINAL_DST of netfilter, which Envoy's
 * listener filter `original_dst` asks as well.
 */
import type { Socket } from "node:net";
import type { HostPort } from "./host-port.ts";

/** Options of getsockopt(2), from linux/netfilter_ipv4.h and linux/netfilter_ipv6/ip6_tables.h. */
const families = {
  IPv4: { level: 0, size: 16, option: 80 },
  IPv6: { level: 41, size: 28, option: 80 },
} as const;

/** Of an accepted connection that is still open; undefined for one that was not redirected. */
export type OriginalDestination = (socket: Socket) => HostPort | undefined;

/**
 * Load libc's getsockopt. It costs about 20 ms and 7 MiB, so only who must prove something does it.
 *
 * @throws when there is no koffi for this machine
 */
export async function loadOriginalDestination(): Promise<OriginalDestination> {
  const { default: koffi } = await import("koffi");
  const getsockopt = koffi
    .load(null)
    .func("int getsockopt(int fd, int level, int option, _Out_ uint8_t *value, _Inout_ uint32_t *size)") as (
    ...args: [fd: number, level: number, option: number, value: Uint8Array, size: [number]]
  ) => number;
  return (socket) => {
    const fd = descriptorOf(socket);
    const { level, option, size } = families[socket.localFamily === "IPv6" ? "IPv6" : "IPv4"];
    const value = Buffer.alloc(size);
    if (fd === undefined || getsockopt(fd, level, option, value, [size]) !== 0) return undefined;
    return parseSocketAddress(value);
  };
}

/** Of a struct sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)), by its size. */
export function parseSocketAddress(value: Buffer): HostPort {
  const port = value.readUInt16BE(2);
  if (value.length === families.IPv4.size) return { host: [...value.subarray(4, 8)].join("."), port };
  const groups = Array.from({ length: 8 }, (_, index) => value.readUInt16BE(8 + 2 * index).toString(16));
  // The shortest form, as everywhere.
  return { host: new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1), port };
}

/** Node.js offers none for sockets; its handle has it. */
function descriptorOf(socket: Socket): number | undefined {
  const handle = (socket as { readonly _handle?: { readonly fd?: number } | null })._handle;
  return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined;
}
