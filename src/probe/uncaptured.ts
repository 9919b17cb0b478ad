/**
 * Reaching the workload past what captures its traffic.
 *
 * What comes from a source on loopback is not captured, but reaches addresses of this machine alone: the kernel
 * answers EINVAL for any other, such as that of the NAT before a virtual machine. Nothing captures the way there.
 */
import { errorCode } from "../lifecycle/error-message.ts";
import type { ProbeTarget } from "./method.ts";

/** The source cannot be used for this address, or not on this machine (ip(7)). */
const unusable: readonly (string | undefined)[] = ["EINVAL", "EADDRNOTAVAIL"];

/** What `ask` gives from the target's source, or from any where that one cannot reach it. @throws what `ask` throws */
export async function uncaptured<T>(
  { sourceAddress }: Pick<ProbeTarget, "sourceAddress">,
  ask: (sourceAddress: string | undefined) => Promise<T>,
): Promise<T> {
  try {
    return await ask(sourceAddress);
  } catch (error) {
    if (sourceAddress === undefined || !unusable.includes(errorCode(error))) throw error;
    return ask(undefined);
  }
}
