/** A status port that answers scrapes and probes, beside sources of the test's own. */
import { type IncomingHttpHeaders, request as httpRequest } from "node:http";
import type { HttpServer } from "../../src/net/http-server.ts";
import type { ScrapeOptions } from "../../src/scrape/options.ts";
import { Scraper, type ScraperDependencies } from "../../src/scrape/scraper.ts";
import { plainScrapeRoute, scrapeRoute } from "../../src/scrape/scrape-route.ts";
import { readinessRoute } from "../../src/status/routes/readiness.ts";
import { listenForStatus } from "../../src/status/server.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { Redactor } from "../../src/telemetry/redactor.ts";
import { statusParts } from "./status-parts.ts";
import { testLog } from "./test-log.ts";

export interface ScrapePort extends AsyncDisposable {
  readonly port: number;
  readonly metrics: Metrics;
  readonly log: readonly string[];
  scrape(asked?: ScrapeAsked): Promise<Scraped>;
}

export interface ScrapeAsked {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Scraped {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  /** What the last lines say of each source. */
  readonly up: Readonly<Record<string, number>>;
}

const usual: ScrapeOptions = {
  mergesEnvoy: true,
  targets: [],
  timeoutMs: 10_000,
  maxBytes: 2 ** 27,
  maxSeries: 1_000_000,
  drop: undefined,
  keep: undefined,
};

export async function startScrapePort(
  options: Partial<ScrapeOptions> & { readonly envoySocket?: string },
  deps: Partial<ScraperDependencies> = {},
): Promise<ScrapePort> {
  const { log, lines } = testLog();
  const metrics = new Metrics("istio_agent_");
  const { envoySocket, ...changes } = options;
  const scraper = new Scraper(
    { ...usual, ...changes },
    {
      ...{ metrics, log },
      own: () => metrics.render(),
      envoySocket: () => envoySocket,
      isWanted: () => true,
      ...deps,
    },
  );
  const server: HttpServer = await listenForStatus(
    { host: "127.0.0.1", port: 0, metricsLocalOnly: false },
    [scrapeRoute, plainScrapeRoute, readinessRoute],
    statusParts({ scrape: (asked) => scraper.answer(asked) }),
    { log, redactor: new Redactor() },
  );
  return {
    port: server.port,
    metrics,
    log: lines,
    scrape: (asked) => scrapeAt(server.port, asked),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Rejects when the answer breaks off. */
export function scrapeAt(port: number, asked: ScrapeAsked = {}): Promise<Scraped> {
  const { path = "/stats/prometheus", method = "GET", headers = {} } = asked;
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: "127.0.0.1", port, path, method, headers, agent: false },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const body = Buffer.concat(chunks);
          const text = body.toString("utf8");
          const found = [...text.matchAll(/^outrider_scrape_up\{source="([^"]*)"\} (\d)$/gm)];
          const up = Object.fromEntries(found.map(([, source = "", value]) => [source, Number(value)]));
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body, text, up });
        });
      },
    );
    request.on("error", reject);
    request.end();
  });
}
