/**
 * The workload's health: checked here, told to the control plane by the ADS proxy.
 */
import type { AgentConfig } from "../config/agent-config.ts";
import type { EnvoySupervisor } from "../envoy/supervision/supervisor.ts";
import type { TaskGroup } from "../lifecycle/task-group.ts";
import type { WorkloadHealthReport } from "../status/contract/agent-report.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { HealthChecker } from "../workload-health/checker.ts";
import type { XdsProxy } from "../xdsproxy/xds-proxy.ts";

/** What the checks work with. */
export interface WorkloadHealthDependencies {
  readonly xds: XdsProxy;
  /** Undefined where there is no Envoy. */
  readonly supervisor: EnvoySupervisor | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tasks: TaskGroup;
}

/** Start the checks in `tasks`; undefined when there is no probe. */
export function startWorkloadHealth(
  options: AgentConfig["workloadHealth"],
  { xds, supervisor, log, metrics, tasks }: WorkloadHealthDependencies,
): HealthChecker | undefined {
  if (options === undefined) return undefined;
  const checker = new HealthChecker(options, {
    proxy: supervisor && (() => supervisor.readiness()),
    log: log.scope("healthcheck"),
    metrics: metrics.withPrefix("outrider_"),
  });
  tasks.spawn("check-workload", (signal) => checker.run(signal));
  if (supervisor !== undefined) {
    const { state } = supervisor.report;
    tasks.spawn("recheck-workload", async (signal) => {
      // The control plane shall know while the drain still lasts.
      for await (const { kind } of state.changes(signal)) if (kind === "draining") checker.recheck();
    });
  }
  tasks.spawn("report-workload-health", async (signal) => {
    for await (const health of checker.health.changes(signal)) {
      if (health.kind !== "unknown") xds.reportHealth(health);
    }
  });
  return checker;
}

/** What there is to say of it. */
export function workloadHealthReport({
  health: { current },
  method,
  lastFailure,
}: HealthChecker): WorkloadHealthReport {
  return {
    state: current.kind,
    check: method,
    ...(current.kind === "unknown" ? {} : { since: current.since.toISOString() }),
    ...(current.kind === "unhealthy" ? { reason: current.reason } : {}),
    ...(lastFailure === undefined ? {} : { lastFailure }),
  };
}
