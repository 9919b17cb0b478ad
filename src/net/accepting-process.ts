/**
 * Which process has accepted a connection of ours, where several share the port (SO_REUSEPORT).
 */
import { readdirSync, readlinkSync } from "node:fs";
import type { Socket } from "node:net";
import { sleep } from "../lifecycle/sleep.ts";
import { readTcpTable, tcpTables } from "./tcp-rows.ts";

/** Between two looks at a connection that nobody has accepted yet, in milliseconds. */
const pollMs = 2;

/** True when the process `pid` accepts the other end of `socket` within `withinMs`. */
export async function isAcceptedBy(pid: number, socket: Socket, withinMs: number): Promise<boolean> {
  const { localPort, remotePort } = socket;
  if (localPort === undefined || remotePort === undefined) return false;
  for (const deadline = performance.now() + withinMs; performance.now() < deadline;) {
    // A connection in the accept queue has no inode.
    const inode = inodeOf(remotePort, localPort);
    if (inode !== undefined && inode !== "0") return holds(pid, inode);
    await sleep(pollMs);
  }
  return false;
}

/** Inode of the socket that is bound to `local` and connected to `peer`, from `/proc/net/tcp{,6}` (proc(5)). */
function inodeOf(local: number, peer: number): string | undefined {
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");
  const [from, to] = [`:${hex(local)}`, `:${hex(peer)}`];
  for (const table of tcpTables) {
    for (const row of readTcpTable(table).split("\n").slice(1)) {
      const [, localAddress = "", peerAddress = "", , , , , , , inode] = row.trim().split(/\s+/);
      if (localAddress.endsWith(from) && peerAddress.endsWith(to)) return inode;
    }
  }
  return undefined;
}

function holds(pid: number, inode: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(pid, fd) === `socket:[${inode}]`);
  } catch {
    // The process has ended.
    return false;
  }
}

function linkOf(pid: number, fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return undefined;
  }
}
