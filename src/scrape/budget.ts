/**
 * How long a scrape may take (Prometheus' header X-Prometheus-Scrape-Timeout-Seconds).
 *
 * What is not there when the scraper's time is over is lost with everything else, so the answer ends before that.
 */

/** Longest time that a scraper may ask for, in milliseconds. */
const longestMs = 120_000;

/** Share of the scraper's time that is left to the way back, and the most of it in milliseconds. */
const wayBack = { share: 0.1, mostMs: 500 } as const;

/** In milliseconds. @param header the scraper's, in seconds @param usualMs where there is none that can be read */
export function budgetMs(header: string | undefined, usualMs: number): number {
  const seconds = header === undefined || !/^\d{1,9}(?:\.\d{1,9})?$/.test(header) ? 0 : Number(header);
  const ms = seconds > 0 ? Math.min(seconds * 1_000, longestMs) : usualMs;
  return ms - Math.min(ms * wayBack.share, wayBack.mostMs);
}
