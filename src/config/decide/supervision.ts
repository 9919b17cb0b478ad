/**
 * The limits of supervision from their flags.
 */
import { defaultRestartPolicy } from "../../envoy/supervision/restart-policy.ts";
import type { SupervisionPolicy } from "../../envoy/supervision/policy.ts";
import { defaultHangPolicy } from "../../envoy/supervision/watchdog.ts";
import type { ProxyFlags } from "../sources/proxy-flags.ts";

/** What no flag says is the policies' own. */
export function supervisionOptions(flags: ProxyFlags): SupervisionPolicy {
  return {
    swapMode: flags.swapMode,
    swap: {
      liveWithinMs: flags.swapTimeout,
      provenWithinMs: flags.swapProofTimeout,
      probationMs: flags.swapProbation,
    },
    restart: {
      ...defaultRestartPolicy,
      budget: flags.restartBudget,
      windowMs: flags.restartWindow,
      backoff: {
        ...defaultRestartPolicy.backoff,
        initialMs: flags.restartBackoff,
        maxMs: flags.restartMaxBackoff,
      },
      stableAfterMs: flags.restartStableAfter,
    },
    hang: {
      ...defaultHangPolicy,
      intervalMs: flags.hangCheckInterval,
      timeoutMs: flags.hangCheckTimeout,
      failures: flags.hangChecks,
      busyFailures: flags.hangChecksBusy,
    },
  };
}
