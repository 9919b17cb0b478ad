/**
 * How many descriptors this process may have open (RLIMIT_NOFILE), read from `/proc/self/limits` (proc(5)).
 */
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";

/** What a kernel without /proc is taken to allow: the usual soft limit. */
const usual = 1_024;

/** Descriptors at the end of the table that are kept for who comes next. */
const reserve = 8;

/** The soft limit, which Node.js has raised to the hard one. */
export function maxDescriptors(): number {
  try {
    const [, soft = ""] = /^Max open files +(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(soft) || usual;
  } catch {
    return usual;
  }
}

/** True when a connection got one of the last descriptors: the kernel gives out the lowest that is free. */
export function isOneOfTheLast(socket: Socket, most: number): boolean {
  // Not in the types; without it nothing is noticed.
  const { _handle: handle } = socket as { readonly _handle?: { readonly fd?: unknown } | null };
  return typeof handle?.fd === "number" && handle.fd >= most - reserve;
}
