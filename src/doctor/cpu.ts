/**
 * Envoy's worker threads against the CPU time that the cgroup gives, and what the kernel has made of both.
 */
import { sleep } from "../lifecycle/sleep.ts";
import type { CpuShare } from "../process/cpu-share.ts";
import {
  type CpuThrottling,
  describeShare,
  throttledBetween,
  type ThrottledShare,
  throttlingOf,
} from "../process/cpu-throttling.ts";
import { type Finding, ok, warning } from "./finding.ts";

/** What decides. */
export interface CpuFacts extends Pick<CpuShare, "limit" | "available"> {
  /** Envoy's `--concurrency`; undefined lets Envoy choose. */
  readonly concurrency: number | undefined;
  /** Of late; undefined without a limit. */
  readonly throttled: ThrottledShare | undefined;
}

/** Between the two looks at what is throttled, in milliseconds. */
const lookMs = 1_000;

/** The share from which on it is felt: each throttled period holds up what runs in it. */
const feltShare = 0.25;

/** Fewer periods say nothing. */
const leastPeriods = 5;

const name = "cpu";

/** Envoy chooses by CPUs and cgroup itself when it is not told. */
export function judgeCpu({ concurrency, limit, available, throttled }: CpuFacts): Finding {
  const most = Math.max(1, Math.ceil(Math.min(limit ?? available, available)));
  const have = limit === undefined ? `${available} CPUs, no limit` : `${available} CPUs, limited to ${limit}`;
  if (throttled !== undefined && throttled.periods >= leastPeriods && throttled.share >= feltShare) {
    return warning(
      name,
      `${have}; the kernel throttled it in ${describeShare(throttled)} just now: everything waits, probes too`,
      "raise the CPU limit (sidecar.istio.io/proxyCPULimit in Kubernetes), or leave the limit out",
    );
  }
  const calm = throttled === undefined ? "" : `, throttled in ${describeShare(throttled)} just now`;
  if (concurrency === undefined) return ok(name, `${have}${calm}; Envoy chooses its worker threads by them`);
  const seen = `${have}${calm}; Envoy gets ${concurrency} worker thread${concurrency === 1 ? "" : "s"}`;
  if (concurrency <= most) return ok(name, seen);
  return warning(
    name,
    `${seen}, which are throttled or wait for each other`,
    `set concurrency in ProxyConfig (or --concurrency) to at most ${most}, or raise the CPU limit`,
  );
}

/** Two looks, a second apart. @param pid of the agent; undefined when none runs, and nothing is known of it */
export async function lookAtThrottling(
  pid: number | undefined,
  signal: AbortSignal,
): Promise<ThrottledShare | undefined> {
  if (pid === undefined) return undefined;
  const before: CpuThrottling | undefined = throttlingOf(pid);
  if (before === undefined) return undefined;
  await sleep(lookMs, signal);
  const after = throttlingOf(pid);
  return after && throttledBetween(before, after);
}
