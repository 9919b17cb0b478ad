/** `/stats/prometheus` and `/metrics`: the agent's metrics, for Prometheus. */
import type { Route } from "../contract/route.ts";

/** What they work with. */
export interface MetricsParts {
  readonly metrics: {
    /** Prometheus' text format 0.0.4. */
    render(): Promise<string>;
  };
}

/** Istio's path. */
export const metricsRoute: Route<MetricsParts> = {
  path: "/stats/prometheus",
  method: "GET",
  scope: "scrapers",
  describe: "The agent's metrics.",
  handle: async ({ metrics }) => ({
    kind: "text",
    status: 200,
    text: await metrics.render(),
    contentType: "text/plain; version=0.0.4; charset=utf-8",
  }),
};

/** The path that Prometheus asks unless told. */
export const plainMetricsRoute: Route<MetricsParts> = {
  ...metricsRoute,
  path: "/metrics",
  describe: "The same as /stats/prometheus.",
};
