/**
 * Answers scrapes of the status port, a bounded number of them at once.
 */
import { Timer } from "../lifecycle/timer.ts";
import { type Answer, type BodyWriter, text } from "../status/contract/route.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { budgetMs } from "./budget.ts";
import { encodedBody, type WritePieces } from "./encode.ts";
import { contentTypeOf, readWanted } from "./formats/negotiation.ts";
import { LineBlocks } from "./line-blocks.ts";
import { SampleRuns } from "./merge/sample-runs.ts";
import { type ScrapeMetrics, scrapeMetrics } from "./metrics.ts";
import type { ScrapeOptions } from "./options.ts";
import type { Outcome } from "./outcome.ts";
import type { ScrapeAsked } from "./scrape-route.ts";
import { ScrapeRun } from "./scrape-run.ts";
import { type Slot, Slots } from "./slots.ts";
import type { FailureCode } from "./source/failure.ts";
import { sourcesOf } from "./sources.ts";

/** What it works with. */
export interface ScraperDependencies {
  /** Of pilot-agent's prefix. */
  readonly metrics: Metrics;
  /** The agent's own metrics, in the text format, without secrets. */
  readonly own: () => Promise<string>;
  /** Admin socket of the active Envoy; undefined without one. */
  readonly envoySocket: () => string | undefined;
  readonly isWanted: (name: string) => boolean;
  readonly log: Logger;
}

/** Scrapes at once. */
const mostScrapes = 8;

/** A scrape has its place for this many times its time, for those who take slowly what is made in time. */
const longestOfTime = 2;

/** One for the agent's life. */
export class Scraper {
  readonly #options: ScrapeOptions;
  readonly #deps: ScraperDependencies;
  readonly #metrics: ScrapeMetrics;
  readonly #slots = new Slots(mostScrapes);
  readonly #runs = SampleRuns.open();
  readonly #blocks = new LineBlocks(this.#runs?.blocks);
  /** Resolves when the scrape that was asked for last may begin. */
  #begun = Promise.resolve();
  /** What is known to be wrong, by source. */
  readonly #failing = new Map<string, FailureCode>();

  constructor(options: ScrapeOptions, deps: ScraperDependencies) {
    this.#options = options;
    this.#deps = deps;
    this.#metrics = scrapeMetrics(deps.metrics);
  }

  async answer({ method, search, headers, giveWay, gone: goneOf }: ScrapeAsked): Promise<Answer> {
    const header = (name: string): string | undefined => {
      const value = headers[name];
      return typeof value === "string" ? value : undefined;
    };
    const wanted = readWanted(header("accept"), header("accept-encoding"));
    // A scrape is too much work for an answer without a body.
    if (method === "HEAD") return { ...text(200, ""), contentType: contentTypeOf("text", wanted) };
    const gone = goneOf();
    // One begins in each turn of the event loop at most, however many were asked for at once.
    this.#begun = this.#begun.then(giveWay);
    await this.#begun;
    if (gone.aborted) return text(503, "Nobody waits for the scrape\n");
    const { own, isWanted, envoySocket } = this.#deps;
    const timeout = header("x-prometheus-scrape-timeout-seconds");
    const request = { search, timeout, userAgent: header("user-agent") };
    const stop = new AbortController();
    const slot: Slot = {
      waitsSince: undefined,
      end: () => {
        stop.abort();
      },
    };
    if (!this.#slots.take(slot, performance.now())) {
      this.#metrics.refused();
      return text(503, "Too many scrapes at once\n");
    }
    this.#metrics.scraped();
    const timeMs = budgetMs(timeout, this.#options.timeoutMs);
    const run = new ScrapeRun({
      sources: sourcesOf(this.#options, envoySocket(), request, wanted),
      budgetMs: timeMs,
      limits: this.#options,
      ...{ isWanted, own, runs: this.#runs, blocks: this.#blocks },
      passed: giveWay,
      onOutcome: (outcome) => {
        this.#note(outcome);
      },
    });
    const leave = (): void => {
      limit.cancel();
      run[Symbol.dispose]();
      this.#slots.leave(slot);
    };
    const giveUp = (): void => {
      stop.abort();
      leave();
    };
    const limit = new Timer(timeMs * longestOfTime, giveUp, { isBackground: true });
    // At once, and not when a piece that is waited for has come.
    gone.addEventListener("abort", giveUp, { once: true });
    const format = await run.format(wanted.openMetrics !== undefined);
    const { encoding } = wanted;
    const write = async (to: BodyWriter): Promise<void> => {
      to.gone.addEventListener("abort", leave, { once: true });
      try {
        using body = encodedBody(timed(to.write, slot), encoding, to.gone);
        for await (const pieces of run.body(format)) await body.write(pieces);
        await body.end();
      } finally {
        leave();
      }
    };
    return {
      kind: "written",
      headers: {
        "content-type": contentTypeOf(format, wanted),
        vary: "accept, accept-encoding",
        ...(encoding === undefined ? {} : { "content-encoding": encoding }),
      },
      signal: stop.signal,
      write,
    };
  }

  #note({ source, tally, failure }: Outcome): void {
    this.#metrics.merged(source, tally, failure?.code);
    const before = this.#failing.get(source.name);
    if (failure?.code === before) return;
    const facts = { source: source.name };
    if (failure === undefined) {
      this.#failing.delete(source.name);
      this.#deps.log.info("a source of metrics is whole again", facts);
    } else {
      this.#failing.set(source.name, failure.code);
      this.#deps.log.warn("a source of metrics is not whole", { ...facts, reason: failure.message });
    }
  }
}

/** The slot knows how long its scraper is waited for. */
function timed(write: WritePieces, slot: Slot): WritePieces {
  return async (pieces) => {
    slot.waitsSince = performance.now();
    await write(pieces);
    slot.waitsSince = undefined;
  };
}
