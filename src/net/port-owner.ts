/**
 * Who listens on a TCP port, read from `/proc/net/tcp` and `/proc/net/tcp6` (proc(5)).
 *
 * SO_REUSEPORT lets two Envoys of one user share a port without an error and split its traffic, so a bind that
 * succeeds proves nothing: the owners are looked up first.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { hasNoSockets } from "./socket-counts.ts";
import { readTcpTable, tcpTables } from "./tcp-rows.ts";

/** A process that listens on a port. */
export interface PortOwner {
  readonly port: number;
  /** Undefined when the owner is another user's process or in another PID namespace. */
  readonly pid: number | undefined;
  /** Command line, or an empty string when unknown. */
  readonly command: string;
}

/** State TCP_LISTEN in `/proc/net/tcp`. */
const listening = "0A";

/** The listeners among `ports`, one entry per owner and port. */
export function portOwners(ports: readonly number[]): PortOwner[] {
  const wanted = new Set(ports);
  const inodes = new Map<string, number>();
  for (const [inode, port] of listeners()) if (wanted.has(port)) inodes.set(inode, port);
  if (inodes.size === 0) return [];
  return namedOwners(inodes);
}

/** Every TCP port of this network namespace that somebody listens on. */
export function listeningPorts(): readonly number[] {
  return [...new Set(listeners().map(([, port]) => port))];
}

/** Socket inodes and ports of both families. */
function listeners(): readonly [inode: string, port: number][] {
  return tcpTables.flatMap((table) => (hasNoSockets(table) ? [] : listenersIn(readTcpTable(table))));
}

/** Socket inodes and ports of the listening rows of one table. */
export function listenersIn(table: string): [inode: string, port: number][] {
  // A busy pod has thousands of rows of connections, which are not worth taking apart.
  const rows = table.split("\n").filter((row) => row.includes(` ${listening} `));
  return rows.flatMap((row): [string, number][] => {
    const [, local = "", , state, , , , , , inode = ""] = row.trim().split(/\s+/);
    return state === listening ? [[inode, Number.parseInt(local.split(":")[1] ?? "", 16)]] : [];
  });
}

function namedOwners(inodes: ReadonlyMap<string, number>): PortOwner[] {
  const owners: PortOwner[] = [];
  const found = new Set<string>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    for (const inode of new Set(socketInodes(pid))) {
      const port = inodes.get(inode);
      if (port === undefined) continue;
      found.add(inode);
      owners.push({ port, pid: Number(pid), command: commandLine(pid) });
    }
  }
  for (const [inode, port] of inodes) {
    if (!found.has(inode)) owners.push({ port, pid: undefined, command: "" });
  }
  return owners;
}

function socketInodes(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        const match = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`));
        return match?.[1] === undefined ? [] : [match[1]];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}

/** "port 15020 (status) is taken by pid 42 (python3 -m http.server 15020)". */
export function describePortOwner(owner: PortOwner, purpose: string): string {
  const who =
    owner.pid === undefined
      ? "a process whose owner cannot be seen from here (another container's, or another user's)"
      : `pid ${owner.pid} (${owner.command.slice(0, 120)})`;
  return `port ${owner.port} (${purpose}) is taken by ${who}`;
}
