/**
 * Waits for connections that Envoy has made to the application with their callers' addresses: without TPROXY's rules and
 * routes their answers would leave this pod.
 */
import { sleep } from "../../lifecycle/sleep.ts";
import { addressDigits } from "../../net/accepted-at.ts";
import { readTcpRows } from "./tcp-rows.ts";
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

/**
 * Resolves once there is none, or time is up: with the number of those that are left, or why that is not known.
 *
 * @param networkNamespace file of the network namespace that `run` works in; undefined is this process's own
 */
export async function departed(run: RunTool, networkNamespace: string | undefined): Promise<number | string> {
  const own = await ownAddresses(run);
  const start = performance.now();
  for (;;) {
    const left = typeof own === "string" ? own : await countLeft(run, networkNamespace, own);
    if (left === 0 || performance.now() - start > longestMs) return left;
    await sleep(betweenLooksMs);
  }
}

async function ownAddresses(run: RunTool): Promise<readonly string[] | string> {
  const shown = await run("ip", ["-o", "addr", "show"]);
  if (shown.kind !== "done") return shown.kind === "failed" ? shown.message : "there is no ip";
  return shown.lines.flatMap((line) => /\binet6? ([\da-f:.]+)/.exec(line)?.[1] ?? []);
}

async function countLeft(
  run: RunTool,
  networkNamespace: string | undefined,
  own: readonly string[],
): Promise<number | string> {
  const rows = await readTcpRows(run, networkNamespace);
  return typeof rows === "string" ? rows : transparentConnections(rows, own);
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
