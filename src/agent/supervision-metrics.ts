/**
 * What supervision counts, as metrics.
 */
import type { Metrics } from "../telemetry/metrics.ts";
import type { SupervisedEnvoy } from "./supervised-envoy.ts";

/** Register everything that is read from the supervisor. */
export function registerSupervisionMetrics(
  metrics: Metrics,
  {
    supervisor,
    reloader,
  }: {
    readonly supervisor: Pick<SupervisedEnvoy["supervisor"], "report" | "refused">;
    readonly reloader: Pick<SupervisedEnvoy["reloader"], "problems">;
  },
): void {
  const { report } = supervisor;
  metrics.computedCounter(
    "envoy_restarts_total",
    "Times Envoy was started again after it died.",
    () => report.counts.restarts,
  );
  const own = metrics.withPrefix("outrider_");
  own.computedCounters("envoy_exits_total", "Ends of Envoys by reason.", ["reason"], () =>
    [...report.exits].map(([reason, count]) => [{ reason }, count] as const),
  );
  own.computedCounters("envoy_swaps_total", "Swaps of Envoy by mode and result.", ["mode", "result"], () =>
    [...report.swaps].map(([key, count]) => {
      const [mode = "", result = ""] = key.split("/");
      return [{ mode, result }, count] as const;
    }),
  );
  own.computedCounter(
    "envoy_failed_starts_total",
    "Times Envoy could not be started for want of disk, descriptors or processes.",
    () => report.counts.failedStarts,
  );
  own.computedCounter("envoy_hangs_total", "Times Envoy was found hung.", () => report.counts.hangs);
  own.computed("envoy_generation", "Number of the active Envoy.", {}, () => {
    const state = report.state.current;
    return "generation" in state ? state.generation : undefined;
  });
  own.computed(
    "envoy_configuration_refused",
    "1 while the newest configuration cannot be used or has failed, wherever it comes from, and an older one serves.",
    {},
    () => Number(supervisor.refused !== undefined || reloader.problems.length > 0),
  );
}
