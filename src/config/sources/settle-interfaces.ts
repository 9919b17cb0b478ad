/**
 * A pod may start before its network has addresses. Whoever names the pod's address need not wait for them.
 */
import { isIP } from "../../net/ip-version.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import { type InterfaceAddress, isUnsettled } from "./addresses.ts";
import { interfaceAddresses, upLinks } from "./read-sources.ts";

/** How to wait. */
export interface SettleOptions {
  /** Longest wait, in milliseconds. */
  readonly limitMs: number;
  /** Called once when it takes longer than a moment. */
  readonly onWait: () => void;
  readonly signal: AbortSignal;
}

/** Between two looks, and until a wait is worth a word, in milliseconds. */
const times = { pollMs: 100, momentMs: 1_000 } as const;

/**
 * Interfaces once their addresses are there, or as they are when that takes too long.
 *
 * @param instanceIp the pod's address, where it is told
 */
export async function settleInterfaces(
  instanceIp: string,
  { limitMs, onWait, signal }: SettleOptions,
): Promise<readonly InterfaceAddress[]> {
  const startedAt = performance.now();
  let isSaid = false;
  for (;;) {
    const interfaces = interfaceAddresses();
    const links = isIP(instanceIp) === 0 ? upLinks() : [];
    const waitedMs = performance.now() - startedAt;
    if (!isUnsettled(interfaces, links) || waitedMs >= limitMs || signal.aborted) return interfaces;
    if (waitedMs >= times.momentMs && !isSaid) {
      isSaid = true;
      onWait();
    }
    await sleep(times.pollMs, signal);
  }
}
