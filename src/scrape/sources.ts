/** Who is asked in a scrape, for what, and with which headers. */
import { acceptOf, type Wanted } from "./formats/negotiation.ts";
import type { ScrapeOptions } from "./options.ts";
import type { Source } from "./source/open-source.ts";

/** What of the scraper's request is passed on. */
export interface ScraperRequest {
  /** The query, which is for Envoy alone. */
  readonly search: string;
  readonly userAgent: string | undefined;
  /** X-Prometheus-Scrape-Timeout-Seconds */
  readonly timeout: string | undefined;
}

/** @param envoySocket admin socket of the active Envoy; undefined without one */
export function sourcesOf(
  { mergesEnvoy, targets }: Pick<ScrapeOptions, "mergesEnvoy" | "targets">,
  envoySocket: string | undefined,
  request: ScraperRequest,
  wanted: Wanted,
): readonly Source[] {
  const headers = {
    host: "localhost",
    "accept-encoding": "identity",
    connection: "close",
    ...(request.userAgent === undefined ? {} : { "user-agent": request.userAgent }),
    ...(request.timeout === undefined ? {} : { "x-prometheus-scrape-timeout-seconds": request.timeout }),
  };
  const envoy: readonly Source[] =
    mergesEnvoy && envoySocket !== undefined
      ? [
          {
            name: "envoy",
            type: "envoy",
            at: { socketPath: envoySocket },
            url: `/stats/prometheus${queryOf(request.search)}`,
            // Protobuf could not be merged with text, and Envoy would like to write it.
            headers: { ...headers, accept: "text/plain;version=0.0.4" },
          },
        ]
      : [];
  return [
    ...envoy,
    ...targets.map(({ port, path }): Source => ({
      name: `application:${port}${path}`,
      type: "application",
      at: { port },
      url: path,
      headers: { ...headers, host: `localhost:${port}`, accept: acceptOf(wanted) },
    })),
  ];
}

/** As Envoy's admin port takes it: printable, and no fragment. */
function queryOf(search: string): string {
  return search !== "" && /^[\x21\x22\x24-\x7e]+$/.test(search) ? `?${search}` : "";
}
