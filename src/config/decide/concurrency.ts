/**
 * How many worker threads Envoy gets.
 */
import type { CpuShare } from "../../process/cpu-share.ts";

/** What decides, the strongest first. */
export interface ConcurrencySources {
  /** ProxyConfig's, flag and ISTIO_CPU_LIMIT laid in; 0 is every CPU, whatever the limits. */
  readonly configured: number | undefined;
  /** ISTIO_CPU_LIMIT; 0 was not said. */
  readonly cpuLimit: number;
  readonly cpus: CpuShare;
  /** Somebody gives every container a weight, so that it means something. */
  readonly isKubernetes: boolean;
}

/**
 * Undefined leaves it to Envoy, which takes the CPUs that it may run on. Envoy would heed a quota itself, but rounds it
 * down, and knows nothing of requests; "all" is to be every CPU in spite of a quota.
 */
export function concurrencyOf(sources: ConcurrencySources, warnings: string[]): number | "all" | undefined {
  const { configured, cpus } = sources;
  const limit = sources.cpuLimit > 0 ? sources.cpuLimit : cpus.limit;
  if (configured === 0) {
    if (limit !== undefined && limit < cpus.available) {
      warnings.push(
        `ProxyConfig: concurrency: 0 gives Envoy ${cpus.available} worker threads on a CPU limit of ${limit}, ` +
          "where they are throttled together; leave it out, or raise the limit",
      );
    }
    return "all";
  }
  if (configured !== undefined) return configured;
  const share = cpus.limit ?? (sources.isKubernetes ? cpus.request : undefined);
  // A quota of 2 may be read as 2.0000001.
  return share === undefined ? undefined : Math.max(1, Math.min(cpus.available, Math.ceil(share - 0.001)));
}
