/**
 * How many TCP sockets a network namespace has, from `/proc/net/sockstat{,6}` (proc(5)).
 *
 * To print one namespace's table of them, the kernel goes through all connections of the machine, some milliseconds each
 * time; a pod that starts has none.
 */
import { readFileSync } from "node:fs";
import type { tcpTables } from "./tcp-rows.ts";

const counts: Readonly<Record<(typeof tcpTables)[number], { readonly path: string; readonly name: string }>> =
  {
    "/proc/net/tcp": { path: "/proc/net/sockstat", name: "TCP" },
    "/proc/net/tcp6": { path: "/proc/net/sockstat6", name: "TCP6" },
  };

/** Whether the kernel says that a table has neither listeners nor connections; those in TIME-WAIT do not count. */
export function hasNoSockets(table: (typeof tcpTables)[number]): boolean {
  const { path, name } = counts[table];
  try {
    return socketsInUse(readFileSync(path, "utf8"), name) === 0;
  } catch {
    return false;
  }
}

/** The count of one protocol in a `sockstat` table; undefined where it is not there. */
export function socketsInUse(sockstat: string, name: string): number | undefined {
  const count = new RegExp(String.raw`^${name}: inuse (\d+)`, "m").exec(sockstat)?.[1];
  return count === undefined ? undefined : Number(count);
}
