/**
 * One try of a query: one upstream is asked, over TCP where UDP was not enough.
 */
import { givenUp, type GivenUp, type OnOutcome, type Outcome, type Sent } from "./exchange.ts";
import type { Server } from "./servers.ts";

/** One exchange of a try. */
export interface TryReport {
  readonly upstream: string;
  readonly protocol: "udp" | "tcp";
  /** `answered`, or why not. */
  readonly outcome: string;
  readonly tookMs: number;
}

/** One exchange that is to begin. */
export interface Exchange {
  readonly server: Server;
  readonly protocol: "udp" | "tcp";
  /** A server that is given up has had its chance after so many milliseconds. */
  readonly lateMs: number;
}

/** What it works with. */
export interface AttemptDependencies {
  readonly ask: (exchange: Exchange, onOutcome: OnOutcome) => Sent;
  /** An exchange is over. It says nothing against the server where `isGivenUp`: that one may be as good as any. */
  readonly exchanged: (server: Server, report: TryReport, isAnswer: boolean, isGivenUp: boolean) => void;
  /** The try is over; undefined without an answer. A failure, such as SERVFAIL, is one. */
  readonly over: (attempt: Attempt, answer: Buffer | undefined) => void;
}

/** Begins at once. */
export class Attempt {
  readonly server: Server;
  readonly #deps: AttemptDependencies;
  readonly #lateMs: number;
  readonly #isLowerAtFirst: boolean;
  #open: Sent | undefined;
  #askedAt = 0;
  #reason: GivenUp | undefined;
  /** What came cut short over UDP. */
  #short: Buffer | undefined;
  #hasLostCase = false;
  /** It is asked in lower case because it said nothing that could be believed otherwise. */
  #isSecond = false;

  constructor({ server, protocol, lateMs }: Exchange, deps: AttemptDependencies) {
    this.server = server;
    this.#deps = deps;
    this.#lateMs = lateMs;
    this.#isLowerAtFirst = server.isLowerCasing;
    this.#ask(protocol);
  }

  /** End it; it is told that it is over. */
  giveUp(reason: GivenUp): void {
    this.#reason = reason;
    this.#open?.giveUp(reason);
  }

  #ask(protocol: "udp" | "tcp"): void {
    this.#askedAt = performance.now();
    this.#open = this.#deps.ask({ server: this.server, protocol, lateMs: this.#lateMs }, (outcome) => {
      this.#ended(protocol, outcome);
    });
  }

  #ended(protocol: "udp" | "tcp", outcome: Outcome): void {
    const tookMs = performance.now() - this.#askedAt;
    const isAnswer = outcome.kind === "answered" || outcome.kind === "truncated";
    const said = outcome.kind === "failed" ? outcome.reason : outcome.kind;
    const isGivenUp = this.#reason !== undefined && this.#reason !== givenUp.tooLate && tookMs < this.#lateMs;
    const report = { upstream: this.server.key, protocol, outcome: said, tookMs };
    this.#deps.exchanged(this.server, report, isAnswer, isGivenUp);
    if (outcome.kind === "answered") this.#over(outcome.message);
    else if (protocol === "tcp") this.#afterTcp();
    else this.#afterUdp(outcome);
  }

  #afterUdp(outcome: Exclude<Outcome, { readonly kind: "answered" }>): void {
    const short = outcome.kind === "truncated" ? outcome.message : undefined;
    if (outcome.kind === "failed" || this.#isSecond || this.#reason !== undefined) {
      this.#over(short);
      return;
    }
    this.#short = short;
    this.#hasLostCase = outcome.kind === "case lost";
    this.#ask("tcp");
  }

  #afterTcp(): void {
    const { server } = this;
    // Nobody but itself can say that it loses case, and it does not take TCP: it is believed.
    const isBelieved = this.#hasLostCase && !this.#isLowerAtFirst && server.isKnown;
    if (!isBelieved || (this.#reason !== undefined && this.#reason !== givenUp.tooLate)) {
      this.#over(this.#short);
      return;
    }
    server.isLowerCasing = true;
    if (this.#reason !== undefined) {
      this.#over(undefined);
      return;
    }
    this.#isSecond = true;
    this.#ask("udp");
  }

  #over(answer: Buffer | undefined): void {
    this.#deps.over(this, answer);
  }
}
