/**
 * Merged metrics: what is asked for them, loaded with the first scrape.
 */
import { loadedOnce } from "../lifecycle/loaded-once.ts";
import type { ScrapeOptions } from "../scrape/options.ts";
import type { ScrapeParts } from "../scrape/scrape-route.ts";
import type { Scraper } from "../scrape/scraper.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Redactor } from "../telemetry/redactor.ts";

/** What it works with. */
export interface LateScraperDependencies {
  readonly metrics: Metrics;
  readonly redactor: Redactor;
  /** Undefined without an Envoy. */
  readonly envoySocket: () => string | undefined;
  readonly log: Logger;
}

/** Answers scrapes. */
export function lateScraper(options: ScrapeOptions, deps: LateScraperDependencies): ScrapeParts["scrape"] {
  const scraper = loadedOnce(() => load(options, deps));
  return async (asked) => (await scraper()).answer(asked);
}

async function load(
  options: ScrapeOptions,
  { metrics, redactor, envoySocket, log }: LateScraperDependencies,
): Promise<Scraper> {
  const [{ Scraper }, { nameFilter }] = await Promise.all([
    import("../scrape/scraper.ts"),
    import("../scrape/name-filter.ts"),
  ]);
  return new Scraper(options, {
    ...{ metrics, envoySocket, log },
    own: async () => redactor.known(await metrics.render()),
    isWanted: await nameFilter(options),
  });
}
