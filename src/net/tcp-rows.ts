/**
 * The TCP sockets of a network namespace, as rows of `/proc/net/tcp{,6}` (proc(5)).
 */
import { readFileSync } from "node:fs";
import { errorCode } from "../lifecycle/error-message.ts";

/** The tables of both families. */
export const tcpTables = ["/proc/net/tcp", "/proc/net/tcp6"] as const;

/** A table's text; empty where it cannot be read: a kernel without IPv6 has no tcp6 table. */
export function readTcpTable(path: (typeof tcpTables)[number]): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Prints the rows, for a process of Node.js that has entered another namespace: `/proc/net` is that of whoever reads it. */
export const tcpRowsProgram = `
const { readFileSync } = process.getBuiltinModule("node:fs");
process.stdout.write(readFileSync("/proc/net/tcp"));
try {
  process.stdout.write(readFileSync("/proc/net/tcp6"));
} catch (error) {
  if (error.code !== "ENOENT") throw error;
}`;

/**
 * Rows of both families in this process's own namespace.
 *
 * @throws the system error where they cannot be read
 */
export function ownTcpRows(): readonly string[] {
  return [...rowsOf("/proc/net/tcp"), ...ipv6Rows()];
}

/** A kernel without IPv6 has no such table. */
function ipv6Rows(): readonly string[] {
  try {
    return rowsOf("/proc/net/tcp6");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

function rowsOf(path: string): readonly string[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .map((row) => row.trim());
}
