/**
 * The limits of supervision from their flags.
 */
import type { SupervisionFlags } from "../sources/proxy-flags.ts";
import { defaultHangPolicy } from "../../envoy/watchdog.ts";
import { defaultRestartPolicy } from "../../envoy/restart-policy.ts";
import type { SupervisionOptions } from "../../envoy/supervision-options.ts";
import { type SwapModeRequest, swapModes } from "../../envoy/swap/swap-mode.ts";
import { type ConfigProblem, shown } from "../../schema/config-problem.ts";
import { flagDurationMs } from "../../schema/duration.ts";
import {
  counts,
  describeRange,
  isWithin,
  type NumberRange,
  positiveCounts,
  someDuration,
} from "../../schema/range.ts";

/** Each value that cannot be used adds a problem. */
export function supervisionOptions(flags: SupervisionFlags, problems: ConfigProblem[]): SupervisionOptions {
  const refuse = (name: string, value: unknown, expected: string): void => {
    problems.push({ source: `--${name}`, path: "", message: `${shown(value)} is not ${expected}` });
  };
  const duration = (name: keyof SupervisionFlags): number =>
    flagDurationMs(`--${name}`, String(flags[name]), problems, someDuration);
  const count = (name: keyof SupervisionFlags, range: NumberRange): number => {
    const value = flags[name];
    if (typeof value === "number" && Number.isInteger(value) && isWithin(value, range)) return value;
    refuse(name, value, `a whole number ${describeRange(range)}`);
    return range.least;
  };
  const swapMode = swapModes.find((mode) => mode === flags.swapMode);
  if (swapMode === undefined) refuse("swapMode", flags.swapMode, `one of ${swapModes.join(", ")}`);
  return {
    swapMode: swapMode ?? ("auto" satisfies SwapModeRequest),
    swap: {
      liveWithinMs: duration("swapTimeout"),
      provenWithinMs: duration("swapProofTimeout"),
      probationMs: duration("swapProbation"),
    },
    restart: {
      budget: count("restartBudget", counts),
      windowMs: duration("restartWindow"),
      backoff: {
        ...defaultRestartPolicy.backoff,
        initialMs: duration("restartBackoff"),
        maxMs: duration("restartMaxBackoff"),
      },
      stableAfterMs: duration("restartStableAfter"),
    },
    hang: {
      ...defaultHangPolicy,
      intervalMs: duration("hangCheckInterval"),
      timeoutMs: duration("hangCheckTimeout"),
      failures: count("hangChecks", positiveCounts),
      busyFailures: count("hangChecksBusy", positiveCounts),
    },
  };
}
