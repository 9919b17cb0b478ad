/**
 * The agent's own process as metrics, by the names that Prometheus' client libraries have for them with Istio's prefix:
 * an application behind the same scrape has its own.
 */
import { readdirSync } from "node:fs";
import { untilLive } from "../envoy/supervision/serving.ts";
import type { EnvoySupervisor } from "../envoy/supervision/supervisor.ts";
import type { TaskGroup } from "../lifecycle/task-group.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** What is not in the process itself. */
export interface ProcessMetricSources {
  /** Of this release. */
  readonly version: string;
  /** Undefined without Envoy. */
  readonly supervisor: EnvoySupervisor | undefined;
  readonly tasks: TaskGroup;
}

/** Register all of them. */
export function registerProcessMetrics(
  metrics: Metrics,
  { version, supervisor, tasks }: ProcessMetricSources,
): void {
  metrics.computedCounter(
    "process_cpu_seconds_total",
    "Processor time of the agent, without Envoy's, in seconds.",
    () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000_000;
    },
  );
  metrics.computed(
    "process_resident_memory_bytes",
    "Resident memory of the agent, without Envoy's.",
    {},
    () => process.memoryUsage.rss(),
  );
  metrics.computed(
    "process_start_time_seconds",
    "When the agent was started, in seconds since the epoch.",
    {},
    () => performance.timeOrigin / 1_000,
  );
  metrics.computed("process_open_fds", "Descriptors that the agent has open.", {}, openDescriptors);
  const own = metrics.withPrefix("outrider_");
  own.computed(
    "build_info",
    "1, with the release and the Node.js that it runs on.",
    { version, node: process.versions.node },
    () => 1,
  );
  metrics.computed("istio_build", "1, with the release.", { component: "agent", tag: version }, () => 1);
  if (supervisor === undefined) return;
  let startUpMs: number | undefined;
  tasks.spawn("measure-start-up", async (signal) => {
    await untilLive(supervisor.report.state, signal);
    startUpMs = performance.now();
  });
  const startUp = [
    "From the agent's start to the first Envoy that serves, in seconds; absent until then.",
    {},
    () => (startUpMs === undefined ? undefined : startUpMs / 1_000),
  ] as const;
  own.computed("startup_seconds", ...startUp);
  metrics.computed("startup_duration_seconds", ...startUp);
}

function openDescriptors(): number | undefined {
  try {
    // One of them is that of this look.
    return readdirSync("/proc/self/fd").length - 1;
  } catch {
    return undefined;
  }
}
