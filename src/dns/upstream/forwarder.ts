/**
 * What the table does not know goes to the upstream servers, and the first good answer comes back.
 */
import { randomBytes, randomInt } from "node:crypto";
import { Timer } from "../../lifecycle/timer.ts";
import { formatHostPort } from "../../net/host-port.ts";
import { withOpt, withoutOpt } from "../wire/reply.ts";
import { disguised, givenUp, isFailure, matchOf, type Outcome, type Outgoing } from "./exchange.ts";
import type { ResolverConfig, Upstream } from "./resolv-conf.ts";
import { askOverTcp } from "./tcp-exchange.ts";
import { planTries, type TryPlan } from "./try-order.ts";
import { type Rejection, UdpExchange } from "./udp-exchange.ts";

/** A query that is to be forwarded. */
export interface Question {
  readonly message: Buffer;
  readonly questionEnd: number;
  readonly hasEdns: boolean;
  /** The client asks over TCP, and so does the agent. */
  readonly overTcp: boolean;
}

/** One try. */
export interface TryReport {
  readonly upstream: string;
  readonly protocol: "udp" | "tcp";
  /** `answered`, or why not. */
  readonly outcome: string;
  readonly tookMs: number;
}

/** What came of it; the answer has an ID and a question of the agent's own. */
export interface Forwarded {
  /** Undefined when no upstream said anything. A failure, such as SERVFAIL, is the last one that any of them said. */
  readonly message: Buffer | undefined;
  readonly isGood: boolean;
  readonly tries: readonly TryReport[];
}

/** How it forwards. */
export interface ForwarderOptions {
  readonly isParallel: boolean;
  readonly forwardTimeoutMs: number;
}

/** What it works with. */
export interface ForwarderDependencies {
  readonly config: () => ResolverConfig;
  /** True for an address at which the agent itself listens. */
  readonly isOwn: (upstream: Upstream) => boolean;
  readonly asked: (outcome: "answered" | "failed", tookMs: number) => void;
  readonly rejected: (reason: Rejection) => void;
}

/** How long an upstream that did not answer is asked last, in milliseconds. */
const suspicionMs = 10_000;

/** Sockets that nobody used for so long are closed, in milliseconds. */
const restMs = 10_000;

/** Connections to upstreams at one time. */
const maxConnections = 128;

/** In place of random bytes. */
const allLower = Buffer.alloc(1);

/** Forwards; disposing fails what is open. */
export class Forwarder implements Disposable {
  readonly #options: ForwarderOptions;
  readonly #deps: ForwarderDependencies;
  readonly #exchanges = new Map<string, UdpExchange>();
  readonly #suspects = new Map<string, number>();
  /** Those that give names back in lower case, whatever they were asked: they are asked so. */
  readonly #lowerCasing = new Set<string>();
  /** What ends each query that is open. */
  readonly #open = new Set<() => void>();
  /** Grows as the servers change. */
  #generation = 0;
  #isClosed = false;
  #turn = 0;
  #connections = 0;
  #isUsed = false;
  #rest: Timer | undefined;
  #noise = randomBytes(4_096);
  #noiseAt = 0;

  constructor(options: ForwarderOptions, deps: ForwarderDependencies) {
    this.#options = options;
    this.#deps = deps;
  }

  /** True when this query is one of our own that came back. */
  hasSent(port: number, message: Buffer): boolean {
    for (const exchange of this.#exchanges.values()) if (exchange.hasSent(port, message)) return true;
    return false;
  }

  /** The servers of the moment, without ourselves. */
  get servers(): readonly Upstream[] {
    return this.#deps.config().servers.filter((one) => !this.#deps.isOwn(one));
  }

  /** Never rejects. */
  async forward(question: Question): Promise<Forwarded> {
    const adds = this.#deps.config().options.edns0 && !question.hasEdns;
    const sent = adds ? { ...question, message: withOpt(question.message) } : question;
    const forwarded = await this.#run(sent);
    return adds && forwarded.message !== undefined
      ? { ...forwarded, message: withoutOpt(forwarded.message) }
      : forwarded;
  }

  /** Forget servers that are not there any more, and what was thought of the others. */
  changed(): void {
    this.#generation += 1;
    const known = new Set(this.servers.map(formatHostPort));
    this.#suspects.clear();
    this.#lowerCasing.clear();
    for (const [key, exchange] of this.#exchanges) {
      if (known.has(key)) continue;
      exchange[Symbol.dispose]();
      this.#exchanges.delete(key);
    }
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#rest?.cancel();
    for (const close of [...this.#open]) close();
    for (const exchange of this.#exchanges.values()) exchange[Symbol.dispose]();
    this.#exchanges.clear();
  }

  #run(question: Question): Promise<Forwarded> {
    this.#turn += 1;
    const { forwardTimeoutMs, isParallel } = this.#options;
    let generation = this.#generation;
    let config = this.#config();
    let { upstreams, everyMs } = this.#plan(config);
    const tries: TryReport[] = [];
    const { promise, resolve } = Promise.withResolvers<Forwarded>();
    /** Who said that it cannot answer says so again. */
    const refusing = new Set<Upstream>();
    const over = new AbortController();
    let failure: Buffer | undefined;
    let started = 0;
    let open = 0;
    const finish = (message: Buffer | undefined, isGood: boolean, why: string): void => {
      if (!this.#open.delete(close)) return;
      next.cancel();
      deadline.cancel();
      if (open > 0) over.abort(why);
      resolve({ message, isGood, tries });
    };
    const close = (): void => {
      finish(failure, false, givenUp.closed);
    };
    /** False when there is nobody left. */
    const start = (): boolean => {
      // Servers that are gone are not asked any more, and those that came are.
      if (generation !== this.#generation) {
        generation = this.#generation;
        config = this.#config();
        ({ upstreams, everyMs } = this.#plan(config));
        started = 0;
      }
      let upstream = upstreams[started];
      while (upstream !== undefined && refusing.has(upstream)) upstream = upstreams[(started += 1)];
      if (upstream === undefined) return false;
      const asked = upstream;
      started += 1;
      open += 1;
      const overTcp = config.options.useVc || question.overTcp;
      void this.#try(asked, question, overTcp, { signal: over.signal, lateMs: everyMs }, tries).then(
        (answer) => {
          open -= 1;
          if (!this.#open.has(close)) return;
          if (answer !== undefined && !isFailure(answer)) {
            finish(answer, true, givenUp.notNeeded);
            return;
          }
          if (answer !== undefined) refusing.add(asked);
          failure = answer ?? failure;
          // Those that were asked together are waited for together.
          if ((!isParallel || open === 0) && start()) next.restart();
          else if (open === 0) finish(failure, false, givenUp.notNeeded);
        },
      );
      return true;
    };
    const next = new Timer(everyMs, () => {
      if (start()) next.restart();
    });
    const deadline = new Timer(
      forwardTimeoutMs,
      () => {
        finish(failure, false, givenUp.tooLate);
      },
      { isBackground: true },
    );
    this.#open.add(close);
    const atOnce = isParallel ? new Set(upstreams).size : 1;
    for (let each = 0; each < atOnce; each += 1) start();
    if (open === 0 || this.#isClosed) close();
    return promise;
  }

  #config(): ResolverConfig {
    return { ...this.#deps.config(), servers: this.#isClosed ? [] : this.servers };
  }

  #plan(config: ResolverConfig): TryPlan {
    const now = performance.now();
    const isSuspect = (one: Upstream): boolean => (this.#suspects.get(formatHostPort(one)) ?? 0) > now;
    return planTries(config, isSuspect, this.#turn, this.#options.forwardTimeoutMs);
  }

  /** The answer of one upstream, over TCP where UDP was not enough; undefined when there is none. Never rejects. */
  async #try(
    upstream: Upstream,
    question: Question,
    overTcp: boolean,
    { signal, lateMs }: { readonly signal: AbortSignal; readonly lateMs: number },
    tries: TryReport[],
  ): Promise<Buffer | undefined> {
    const key = formatHostPort(upstream);
    const timed = async (protocol: "udp" | "tcp", ask: () => Promise<Outcome>): Promise<Outcome> => {
      const started = performance.now();
      const outcome = await ask();
      const tookMs = performance.now() - started;
      const isAnswer = outcome.kind === "answered" || outcome.kind === "truncated";
      if (isAnswer || !signal.aborted) this.#deps.asked(isAnswer ? "answered" : "failed", tookMs);
      const said = outcome.kind === "failed" ? outcome.reason : outcome.kind;
      tries.push({ upstream: key, protocol, outcome: said, tookMs });
      // One that was given up before its time was over may be as good as any.
      const isGivenUp = signal.aborted && signal.reason !== givenUp.tooLate && tookMs < lateMs;
      if (isAnswer) this.#suspects.delete(key);
      else if (!isGivenUp) this.#suspects.set(key, performance.now() + suspicionMs);
      return outcome;
    };
    if (!overTcp) {
      const isLower = this.#lowerCasing.has(key);
      const askOverUdp = (): Promise<Outcome> =>
        timed("udp", () =>
          this.#exchangeWith(upstream).ask(
            (id) => this.#disguise(question, id, this.#lowerCasing.has(key)),
            signal,
            lateMs,
          ),
        );
      const outcome = await askOverUdp();
      if (outcome.kind === "answered") return outcome.message;
      if (outcome.kind === "failed") return undefined;
      const whole = await timed("tcp", () => this.#askOverTcp(upstream, question, signal));
      if (whole.kind === "answered") return whole.message;
      if (outcome.kind === "truncated") return outcome.message;
      // Nobody but itself can say that it loses case, and it does not take TCP: it is believed.
      if (isLower || (signal.aborted && signal.reason !== givenUp.tooLate)) return undefined;
      if (!this.servers.some((one) => formatHostPort(one) === key)) return undefined;
      this.#lowerCasing.add(key);
      const again = signal.aborted ? undefined : await askOverUdp();
      return again?.kind === "answered" || again?.kind === "truncated" ? again.message : undefined;
    }
    const outcome = await timed("tcp", () => this.#askOverTcp(upstream, question, signal));
    return outcome.kind === "answered" ? outcome.message : undefined;
  }

  async #askOverTcp(upstream: Upstream, question: Question, signal: AbortSignal): Promise<Outcome> {
    if (this.#connections >= maxConnections)
      return { kind: "failed", reason: "too many connections are open" };
    this.#connections += 1;
    try {
      const outgoing = this.#disguise(question, randomInt(65_536), false);
      const outcome = await askOverTcp(upstream, outgoing, signal);
      if (outcome.kind === "answered" && matchOf(outcome.message, outgoing) === "other case")
        this.#lowerCasing.add(formatHostPort(upstream));
      return outcome;
    } finally {
      this.#connections -= 1;
    }
  }

  #exchangeWith(upstream: Upstream): UdpExchange {
    this.#isUsed = true;
    this.#rest ??= new Timer(
      restMs,
      () => {
        this.#lookForRest();
      },
      { isBackground: true },
    );
    const key = formatHostPort(upstream);
    const known = this.#exchanges.get(key);
    if (known !== undefined) return known;
    const made = new UdpExchange(upstream, {
      rejected: this.#deps.rejected,
      random: () => this.#random(4).readUInt32BE(0) / 2 ** 32,
    });
    this.#exchanges.set(key, made);
    return made;
  }

  #lookForRest(): void {
    if (this.#isUsed) {
      this.#isUsed = false;
      this.#rest?.restart();
      return;
    }
    this.#rest = undefined;
    for (const exchange of this.#exchanges.values()) exchange.rest();
  }

  #disguise({ message, questionEnd }: Question, id: number, isLower: boolean): Outgoing {
    return disguised(message, questionEnd, id, isLower ? allLower : this.#random(32));
  }

  /** Asking the system for a few bytes each time would cost more than the query. */
  #random(bytes: number): Buffer {
    if (this.#noiseAt + bytes > this.#noise.length) {
      this.#noise = randomBytes(this.#noise.length);
      this.#noiseAt = 0;
    }
    this.#noiseAt += bytes;
    return this.#noise.subarray(this.#noiseAt - bytes, this.#noiseAt);
  }
}
