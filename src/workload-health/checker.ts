/**
 * Checks the workload for as long as the agent runs.
 *
 * A workload behind an Envoy that does not serve is not healthy, whatever it says itself: Envoy is asked first.
 */
import { errorMessage } from "../lifecycle/error-message.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { type ReadonlyWatch, Watch } from "../lifecycle/watch.ts";
import type { Logger } from "../telemetry/log.ts";
import type { CounterMetric, Metrics } from "../telemetry/metrics.ts";
import { probeOnce, describeMethod } from "../probe/probe.ts";
import { type HealthTally, noChecks, type WorkloadHealth, withResult } from "./health.ts";
import type { WorkloadHealthOptions } from "./options.ts";
import type { ProbeResult } from "../probe/method.ts";

/** Whether what stands before the workload serves, and if not, why. */
export type ProxyReadiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

/** Between two looks at an Envoy that a workload waits for, in milliseconds. */
const proxyRetryMs = 1_000;

/** What the checks need and where they report. */
export interface HealthCheckerDependencies {
  /** Undefined where there is no Envoy. */
  readonly proxy: (() => Promise<ProxyReadiness>) | undefined;
  readonly log: Logger;
  /** Of this project's own prefix. */
  readonly metrics: Metrics;
}

/** The checks of one workload. */
export class HealthChecker {
  readonly #options: WorkloadHealthOptions;
  readonly #proxy: HealthCheckerDependencies["proxy"];
  readonly #log: Logger;
  readonly #health = new Watch<WorkloadHealth>(noChecks.health);
  readonly #checks: CounterMetric;
  #tally: HealthTally = noChecks;
  #wake = new AbortController();
  #last: ProbeResult | undefined;

  constructor(options: WorkloadHealthOptions, { proxy, log, metrics }: HealthCheckerDependencies) {
    this.#options = options;
    this.#proxy = proxy;
    this.#log = log;
    this.#checks = metrics.counter("workload_health_checks_total", "Checks of the workload by result.", [
      "result",
    ]);
    metrics.computed(
      "workload_healthy",
      "1 while the workload is reported healthy, 0 while unhealthy; absent before the first report.",
      {},
      () => {
        const { kind } = this.#health.current;
        return kind === "unknown" ? undefined : kind === "healthy" ? 1 : 0;
      },
    );
  }

  /** Set on each change. */
  get health(): ReadonlyWatch<WorkloadHealth> {
    return this.#health;
  }

  /** Of the last check, whatever the health; undefined before the first one, or after one that went well. */
  get lastFailure(): string | undefined {
    return this.#last?.kind === "unhealthy" ? this.#last.reason : undefined;
  }

  /** What is checked, in words. */
  get method(): string {
    return describeMethod(this.#options.method);
  }

  /** Check at once, not only after the period: something has happened. */
  recheck(): void {
    this.#wake.abort();
  }

  /** Check until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { initialDelayMs, periodMs } = this.#options;
    this.#log.info("checking the workload's health", { check: this.method, afterMs: initialDelayMs });
    await sleep(initialDelayMs, signal);
    while (!signal.aborted) {
      const begun = performance.now();
      this.#wake = new AbortController();
      const proxy = await this.#askProxy();
      const result = await this.#check(proxy, signal);
      // A check that was ended from here says nothing about the workload.
      if (signal.aborted) return;
      this.#note(result);
      // A workload that only waits for its Envoy shall not wait for a whole period more.
      const waits = !proxy.ready && this.#health.current.kind !== "healthy";
      const next = begun + (waits ? Math.min(periodMs, proxyRetryMs) : periodMs);
      await sleep(Math.max(0, next - performance.now()), AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  async #check(proxy: ProxyReadiness, signal: AbortSignal): Promise<ProbeResult> {
    const { method, timeoutMs } = this.#options;
    if (!proxy.ready) return { kind: "unhealthy", reason: `Envoy is not ready: ${proxy.reason}` };
    return probeOnce(method, timeoutMs, signal);
  }

  async #askProxy(): Promise<ProxyReadiness> {
    try {
      return (await this.#proxy?.()) ?? { ready: true };
    } catch (error) {
      return { ready: false, reason: errorMessage(error) };
    }
  }

  #note(result: ProbeResult): void {
    this.#checks.inc({ result: result.kind });
    this.#last = result;
    this.#tally = withResult(this.#tally, result, this.#options.thresholds, new Date());
    const { health } = this.#tally;
    if (health === this.#health.current) return;
    this.#health.set(health);
    if (health.kind === "unhealthy")
      this.#log.warn("the workload is unhealthy", { check: this.method, reason: health.reason });
    else this.#log.info("the workload is healthy", { check: this.method });
  }
}
