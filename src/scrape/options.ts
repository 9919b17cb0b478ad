/** Where an application has its metrics, on loopback. */
export interface ScrapeTarget {
  readonly port: number;
  /** With its query, if it has one. */
  readonly path: string;
}

/** What is merged into one exposition, and how much of it. */
export interface ScrapeOptions {
  /** Envoy's metrics are part of it. */
  readonly mergesEnvoy: boolean;
  /** Applications, in the order in which they are written. */
  readonly targets: readonly ScrapeTarget[];
  /** For the whole scrape, in milliseconds, where the scraper says no other. */
  readonly timeoutMs: number;
  /** What each source may have. */
  readonly maxBytes: number;
  readonly maxSeries: number;
  /** Families that are left out, and those that alone are kept: expressions of RE2 for the whole name. */
  readonly drop: string | undefined;
  readonly keep: string | undefined;
}
