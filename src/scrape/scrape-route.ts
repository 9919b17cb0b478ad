/** `/stats/prometheus` and `/metrics`: metrics of the agent, Envoy and the application in one, for Prometheus. */
import type { Waiting } from "../status/client.ts";
import type { Answer, Asked, Route } from "../status/contract/route.ts";

/** What a scrape is told of its request. */
export type ScrapeAsked = Pick<Asked, "method" | "search" | "headers" | "giveWay" | "gone">;

/** What they work with. */
export interface ScrapeParts {
  readonly scrape: (asked: ScrapeAsked) => Promise<Answer>;
}

/** Istio's path. */
export const scrapeRoute: Route<ScrapeParts> = {
  path: "/stats/prometheus",
  method: "GET",
  scope: "scrapers",
  describe:
    "The agent's metrics, Envoy's and the application's in one; its query is for Envoy (`usedonly`, `filter`).",
  handle: ({ scrape }, asked) => scrape(asked),
};

/** The path that Prometheus asks unless told. */
export const plainScrapeRoute: Route<ScrapeParts> = {
  ...scrapeRoute,
  path: "/metrics",
  describe: "The same as /stats/prometheus.",
};

/** How a person's command asks: a source that hangs costs the time of its own samples, and not all of the answer. */
export const briefScrape: Waiting = {
  headers: { "x-prometheus-scrape-timeout-seconds": "3" },
  // On a busy machine it takes its time to come.
  withinMs: 20_000,
};
