/**
 * One scrape: all sources are asked at once, and written one after the other, in their order.
 *
 * What two of them say of one family is decided by who comes first, and has to be decided alike in each scrape. So one that
 * is to come next is waited for, even when others have answered; from a quarter of the time on, those come first that
 * answer first.
 *
 * Whatever a source does, it is the only one that loses by it. One that hangs leaves some of the time to those that are
 * still to come, and what all of them together take ends before the scraper's own time does.
 */
import { Deadline, Timer } from "../lifecycle/timer.ts";
import type { Format } from "./formats/family.ts";
import { CheckedText } from "./merge/checked-text.ts";
import { FamilyLedger } from "./merge/family-ledger.ts";
import type { LineBlock } from "./merge/line-block.ts";
import type { SampleRuns } from "./merge/sample-runs.ts";
import { SeriesSet } from "./merge/series-set.ts";
import { Tally } from "./merge/tally.ts";
import { type TextRules, TrustedText } from "./merge/trusted-text.ts";
import type { LineBlocks } from "./line-blocks.ts";
import type { ScrapeOptions } from "./options.ts";
import { type Outcome, outcomeFamilies, outcomeText } from "./outcome.ts";
import { SourceFailure } from "./source/failure.ts";
import { openSource, type OpenSource, type Source } from "./source/open-source.ts";
import { sourceTimeMs } from "./source-time.ts";
import { readSource } from "./source/read-source.ts";

/** What it works with. */
export interface ScrapeRunDependencies {
  readonly sources: readonly Source[];
  readonly budgetMs: number;
  readonly limits: Pick<ScrapeOptions, "maxBytes" | "maxSeries">;
  /** False for a family that is to be left out. */
  readonly isWanted: (name: string) => boolean;
  readonly runs: SampleRuns | undefined;
  /** The agent's own metrics, in the text format. */
  readonly own: () => Promise<string>;
  readonly onOutcome: (outcome: Outcome) => void;
  /** Something of a source has been passed on; more is read when it resolves. */
  readonly passed: () => Promise<void>;
  readonly blocks: LineBlocks;
}

type State =
  | { readonly kind: "asked" }
  | { readonly kind: "open"; readonly open: OpenSource }
  | { readonly kind: "failed"; readonly failure: SourceFailure };

interface Asked {
  readonly source: Source;
  /** What it is read into. */
  readonly lines: LineBlock;
  state: State;
  /** Resolves with the end of `asked`. */
  readonly answered: Promise<void>;
  /** Whoever merges it gives its lines back. */
  isMerged: boolean;
}

/** Longest time that applications may keep the choice of the format waiting: a share of all, and in milliseconds. */
const choice = { share: 0.25, mostMs: 1_000 } as const;

/** Share of the time for which the order is kept. */
const orderedShare = 0.25;

/** It begins with its making, and ends when it is disposed: its body throws from then on. */
export class ScrapeRun implements Disposable {
  readonly #deps: ScrapeRunDependencies;
  readonly #started = performance.now();
  readonly #stop = new AbortController();
  readonly #timer: Timer;
  readonly #order: Timer;
  #isOrdered = true;
  #asked: readonly Asked[] = [];
  #changed = Promise.withResolvers<void>();
  #isDisposed = false;

  constructor(deps: ScrapeRunDependencies) {
    this.#deps = deps;
    const stop = (): void => {
      this.#stop.abort(new SourceFailure("timeout", "was not done when the scraper's time was over"));
    };
    this.#timer = new Timer(deps.budgetMs, stop, { isBackground: true });
    const letGo = (): void => {
      this.#isOrdered = false;
      this.#wake();
    };
    this.#order = new Timer(deps.budgetMs * orderedShare, letGo, { isBackground: true });
    this.#asked = deps.sources.map((source) => this.#ask(source));
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#timer.cancel();
    this.#order.cancel();
    this.#stop.abort(new SourceFailure("torn", "nobody waits for it any more"));
    this.#wake();
    for (const one of this.#asked)
      void one.answered.then(() => {
        // Neither a connection nor a generator reads into them any more.
        if (!one.isMerged) this.#deps.blocks.giveBack(one.lines);
      });
  }

  /** OpenMetrics where every application that answers in time speaks it. */
  async format(isOpenMetricsWanted: boolean): Promise<Format> {
    const applications = this.#asked.filter(({ source }) => source.type === "application");
    if (!isOpenMetricsWanted || applications.length === 0) return "text";
    using limit = new Deadline(Math.min(this.#deps.budgetMs * choice.share, choice.mostMs));
    const { signal } = limit;
    signal.addEventListener("abort", () => {
      this.#wake();
    });
    while (!signal.aborted && applications.some(({ state }) => state.kind === "asked"))
      await this.#changed.promise;
    const formats = applications.flatMap(({ state }) => (state.kind === "open" ? [state.open.format] : []));
    return formats.length > 0 && formats.every((format) => format === "openmetrics") ? "openmetrics" : "text";
  }

  /** The merged exposition, in pieces of which there is one at least each time. @throws once the run is over */
  async *body(to: Format): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    const { isWanted, own, limits, runs } = this.#deps;
    const ledger = new FamilyLedger(to, isWanted);
    const rules = { to, ledger, runs, series: this.#seriesSet() };
    const ownText = await own();
    this.#check();
    const first = new CheckedText({
      ...{
        to,
        ledger,
        series: undefined,
        runs: undefined,
        from: "text",
        tally: new Tally(),
        maxSeries: Infinity,
      },
    }).take(Buffer.from(ownText));
    if (first.length > 0) yield first;
    for (const family of outcomeFamilies) ledger.reserve(family);
    const outcomes: Outcome[] = [];
    for (let left = this.#asked; left.length > 0;) {
      const one = await this.#next(left);
      const tally = new Tally();
      left = left.filter((other) => other !== one);
      one.isMerged = true;
      const failure = yield* this.#merge(one, left, { ...rules, tally, maxSeries: limits.maxSeries });
      // What the end of the run has cut off is no fault of the source.
      this.#check();
      const seconds = (performance.now() - this.#started) / 1_000;
      const outcome = { source: one.source, tally, failure, seconds };
      outcomes.push(outcome);
      this.#deps.onOutcome(outcome);
    }
    yield [Buffer.from(outcomeText(outcomes) + (to === "openmetrics" ? "# EOF\n" : ""))];
  }

  /** A table of series is for applications that may have the same ones. */
  #seriesSet(): SeriesSet | undefined {
    const applications = this.#asked.filter(({ source }) => source.type === "application");
    return applications.length > 1 ? new SeriesSet() : undefined;
  }

  #ask(source: Source): Asked {
    const lines = this.#deps.blocks.take();
    const answered = openSource(source, lines.landing, this.#stop.signal).then(
      (open) => {
        asked.state = { kind: "open", open };
        this.#wake();
      },
      (failure: unknown) => {
        asked.state = {
          kind: "failed",
          failure:
            failure instanceof SourceFailure ? failure : new SourceFailure("unavailable", "failed", failure),
        };
        this.#wake();
      },
    );
    const asked: Asked = { source, lines, state: { kind: "asked" }, answered, isMerged: false };
    return asked;
  }

  /** @throws once it is over */
  #check(): void {
    if (this.#isDisposed) throw new Error("nobody waits for the scrape any more");
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** The one whose turn it is, once it has answered. Each answers or fails before the time is over. */
  async #next(left: readonly Asked[]): Promise<Asked> {
    for (;;) {
      this.#check();
      const candidates = this.#isOrdered ? left.slice(0, 1) : left;
      const one = candidates.find(({ state }) => state.kind !== "asked");
      if (one !== undefined) return one;
      await this.#changed.promise;
    }
  }

  async *#merge(
    { source, lines, state }: Asked,
    others: readonly Asked[],
    { series, ...rules }: TextRules & { readonly series: SeriesSet | undefined },
  ): AsyncGenerator<readonly Uint8Array[], SourceFailure | undefined, undefined> {
    using _ = {
      [Symbol.dispose]: () => {
        this.#deps.blocks.giveBack(lines);
      },
    };
    if (state.kind !== "open") return state.kind === "failed" ? state.failure : undefined;
    const { open } = state;
    const text =
      source.type === "envoy" && open.format === "text"
        ? new TrustedText(rules)
        : new CheckedText({ ...rules, series, from: open.format });
    const leftMs = this.#deps.budgetMs - (performance.now() - this.#started);
    const toCome = others.map((other) => other.source.type);
    const timeoutMs = sourceTimeMs(leftMs, this.#deps.budgetMs, toCome);
    const limits = { maxBytes: this.#deps.limits.maxBytes, timeoutMs };
    try {
      yield* readSource(open, text, lines, rules.tally, limits, this.#deps.passed);
      return undefined;
    } catch (error) {
      const { signal } = this.#stop;
      if (signal.aborted && signal.reason instanceof SourceFailure) return signal.reason;
      return error instanceof SourceFailure ? error : new SourceFailure("torn", "broke off", error);
    }
  }
}
