/**
 * Envoy's worker threads against the CPU time that the cgroup gives: more threads than that are throttled together.
 */
import { type Finding, ok, warning } from "./finding.ts";

/** What decides. */
export interface CpuShare {
  /** Envoy's `--concurrency`; undefined lets Envoy choose. */
  readonly concurrency: number | undefined;
  /** CPUs' worth of time that the cgroup may use; undefined without a limit. */
  readonly limit: number | undefined;
  /** CPUs that this process may run on. */
  readonly available: number;
}

/** Envoy chooses by CPUs and cgroup itself when it is not told. */
export function judgeCpu({ concurrency, limit, available }: CpuShare): Finding {
  const name = "cpu";
  const most = Math.max(1, Math.ceil(Math.min(limit ?? available, available)));
  const have = limit === undefined ? `${available} CPUs, no limit` : `${available} CPUs, limited to ${limit}`;
  if (concurrency === undefined) return ok(name, `${have}; Envoy chooses its worker threads by them`);
  const seen = `${have}; Envoy gets ${concurrency} worker thread${concurrency === 1 ? "" : "s"}`;
  if (concurrency <= most) return ok(name, seen);
  return warning(
    name,
    `${seen}, which are throttled or wait for each other`,
    `set concurrency in ProxyConfig (or --concurrency) to at most ${most}, or raise the CPU limit`,
  );
}
