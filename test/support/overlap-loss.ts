/**
 * What an overlap swap may cost: a connection that waits to be accepted when the old Envoy closes its socket is reset, unless
 * the kernel gives it to another socket of the port; that none is lost where the kernel does is shown in a network of its own
 * (test/e2e/swap/no-loss.test.ts).
 */
import { readFileSync } from "node:fs";

/** Lost of the requests during a series of swaps; about a third of them on new connections. */
const lossRate = 5 / 100_000;

/**
 * Most requests that a series of swaps may lose at the kernel's default: what is to be expected, and three standard deviations
 * of a number of rare events above it, which chance alone passes about once in 500 series.
 */
export function mostLost(requests: number): number {
  const expected = lossRate * requests;
  return Math.ceil(expected + 3 * Math.sqrt(expected));
}

/** Connections that a test's few swaps may lose here. */
export function mostResets(mode: string): number {
  return mode === "overlap" && !kernelMovesConnections() ? 1 : 0;
}

/** `failures` without those that the mode explains: what they have in common is that the other side has reset them. */
export function unexplained(mode: string, failures: readonly string[]): readonly string[] {
  const resets = failures.filter((failure) => /ECONNRESET|socket hang up/.test(failure));
  const explained = new Set(resets.slice(0, mostResets(mode)));
  return failures.filter((failure) => !explained.has(failure));
}

function kernelMovesConnections(): boolean {
  try {
    return readFileSync("/proc/sys/net/ipv4/tcp_migrate_req", "utf8").trim() === "1";
  } catch {
    // Before Linux 5.14.
    return false;
  }
}
