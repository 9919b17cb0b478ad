/**
 * Waits for connections that Envoy has made to the application with their callers' addresses: without TPROXY's rules and
 * routes their answers would leave this pod.
 */
import { sleep } from "../../lifecycle/sleep.ts";
import { addressDigits } from "../../net/accepted-at.ts";
import type { RunTool } from "./tool.ts";

/** How long such connections may go on, in milliseconds: who changes the rules waits for them. */
const longestMs = 5_000;

/** Between two looks, in milliseconds. */
const betweenLooksMs = 50;

/** States of proc(5) in which nothing is to come any more: a listener, and what only keeps late packets out. */
const over: ReadonlySet<string> = new Set(["0A", "06"]);

/** A half-closed connection; without an owner nobody reads what is still to come. */
const finWait2 = "05";

/** Before an IPv4 address in a row of IPv6. */
const mapped = /^0{16}FFFF0{4}/;

/** All of 127.0.0.0/8 is this pod's. */
const loopback = /^[\dA-F]{6}7F$/;

/** Resolves once there is none, or time is up, with the number of those that are left. */
export async function departed(run: RunTool): Promise<number> {
  const addresses = await run("ip", ["-o", "addr", "show"]);
  if (addresses.kind !== "done") return 0;
  const own = addresses.lines.flatMap((line) => /\binet6? ([\da-f:.]+)/.exec(line)?.[1] ?? []);
  const start = performance.now();
  for (;;) {
    const tables = await Promise.all(["tcp", "tcp6"].map((name) => run("cat", [`/proc/net/${name}`])));
    const rows = tables.flatMap((table) => (table.kind === "done" ? table.lines : []));
    const left = transparentConnections(rows, own);
    if (left === 0 || performance.now() - start > longestMs) return left;
    await sleep(betweenLooksMs);
  }
}

/**
 * How many connections have an end here whose address is not of this pod: only a transparent socket does.
 *
 * @param rows of `/proc/net/tcp` and `/proc/net/tcp6`
 */
export function transparentConnections(rows: readonly string[], ownAddresses: readonly string[]): number {
  const own = new Set(ownAddresses.map(addressDigits));
  return rows.filter((row) => {
    const [, local = "", , state = "", , , , , , inode] = row.split(/\s+/);
    const [digits = "", port] = local.split(":");
    if (port === undefined || over.has(state) || (state === finWait2 && inode === "0")) return false;
    const address = digits.replace(mapped, "");
    return !own.has(address) && !loopback.test(address);
  }).length;
}
