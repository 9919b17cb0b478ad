/**
 * One query on its way to the upstream servers: who has been asked, and who is asked next.
 */
import { Attempt, type AttemptDependencies, type Exchange, type TryReport } from "./attempt.ts";
import { givenUp, type GivenUp, isFailure, type OnOutcome, type Sent } from "./exchange.ts";
import type { Server, Servers } from "./servers.ts";

/** A query that is to be forwarded. */
export interface Question {
  readonly message: Buffer;
  readonly questionEnd: number;
  readonly hasEdns: boolean;
  /** The client asks over TCP, and so does the agent. */
  readonly overTcp: boolean;
}

/** What came of it; the answer has an ID and a question of the agent's own. */
export interface Forwarded {
  /** Undefined when no upstream said anything. A failure, such as SERVFAIL, is the last one that any of them said. */
  readonly message: Buffer | undefined;
  readonly isGood: boolean;
  readonly tries: readonly TryReport[];
}

/** What it works with. */
export interface ForwardingDependencies {
  /** Those of the moment. */
  readonly servers: () => Servers;
  readonly isParallel: boolean;
  /** The longest that the client waits, in milliseconds. */
  readonly withinMs: number;
  readonly ask: (exchange: Exchange, question: Question, onOutcome: OnOutcome) => Sent;
  /** How long an exchange took, and whether it had an answer; not told of one that was given up. */
  readonly asked: (outcome: "answered" | "failed", tookMs: number) => void;
  /** `look` is to be called then, on the clock of `performance.now()`. */
  readonly wakeBy: (at: number) => void;
}

/** Asks nobody until `start`. Times are those of `performance.now()`. */
export class Forwarding implements AttemptDependencies {
  readonly #question: Question;
  readonly #deps: ForwardingDependencies;
  readonly #onOver: (forwarded: Forwarded) => void;
  readonly #deadline: number;
  readonly #tries: TryReport[] = [];
  #attempts: readonly Attempt[] = [];
  #servers: Servers;
  #plan: ReturnType<Servers["plan"]>;
  /** How many of the plan have been asked. */
  #started = 0;
  #nextAt = Infinity;
  /** Who said that it cannot answer says so again. */
  readonly #refusing: Server[] = [];
  #failure: Buffer | undefined;
  #isOver = false;

  constructor(
    question: Question,
    now: number,
    deps: ForwardingDependencies,
    onOver: (forwarded: Forwarded) => void,
  ) {
    this.#question = question;
    this.#deps = deps;
    this.#onOver = onOver;
    this.#deadline = now + deps.withinMs;
    this.#servers = deps.servers();
    this.#plan = this.#servers.plan(now);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** When it is to be looked at again. */
  get dueAt(): number {
    return Math.min(this.#nextAt, this.#deadline);
  }

  /** Ask the first, or all of them at once. */
  start(now: number): void {
    const atOnce = this.#deps.isParallel ? this.#servers.all.length : 1;
    for (let each = 0; each < atOnce; each += 1) this.#askNext(now);
    if (this.#attempts.length === 0) this.close();
  }

  /** Ask the next, or give up, where it is time. */
  look(now: number): void {
    if (now >= this.#deadline) this.#finish(this.#failure, false, givenUp.tooLate);
    else if (now >= this.#nextAt && !this.#askNext(now)) this.#nextAt = Infinity;
  }

  /** Nobody is asked any more. */
  close(): void {
    this.#finish(this.#failure, false, givenUp.closed);
  }

  /** An exchange of one of the tries. */
  exchanged(server: Server, report: TryReport, isAnswer: boolean, isGivenUp: boolean): void {
    const { asked } = this.#deps;
    this.#tries.push(report);
    if (isAnswer || !this.#isOver) asked(isAnswer ? "answered" : "failed", report.tookMs);
    if (isAnswer) server.suspectUntil = 0;
    else if (!isGivenUp) this.#servers.suspect(server, performance.now());
  }

  ask(exchange: Exchange, onOutcome: OnOutcome): Sent {
    return this.#deps.ask(exchange, this.#question, onOutcome);
  }

  /** One of the tries is over. */
  over(attempt: Attempt, answer: Buffer | undefined): void {
    if (this.#isOver) return;
    this.#attempts = this.#attempts.filter((one) => one !== attempt);
    if (answer !== undefined && !isFailure(answer)) {
      this.#finish(answer, true, givenUp.notNeeded);
      return;
    }
    if (answer !== undefined) this.#refusing.push(attempt.server);
    this.#failure = answer ?? this.#failure;
    // Those that were asked together are waited for together.
    const isAlone = this.#attempts.length === 0;
    const isNextAsked = (!this.#deps.isParallel || isAlone) && this.#askNext(performance.now());
    if (!isNextAsked && isAlone) this.#finish(this.#failure, false, givenUp.notNeeded);
  }

  /** False when there is nobody left. */
  #askNext(now: number): boolean {
    // Servers that are gone are not asked any more, and those that came are.
    const servers = this.#deps.servers();
    if (servers !== this.#servers) {
      this.#servers = servers;
      this.#plan = servers.plan(now);
      this.#started = 0;
    }
    let server = this.#plan.servers[this.#started];
    while (server !== undefined && this.#refusing.includes(server))
      server = this.#plan.servers[(this.#started += 1)];
    if (server === undefined) return false;
    this.#started += 1;
    const { everyMs } = this.#plan;
    const protocol = servers.options.useVc || this.#question.overTcp ? "tcp" : "udp";
    this.#attempts = [...this.#attempts, new Attempt({ server, protocol, lateMs: everyMs }, this)];
    this.#nextAt = now + everyMs;
    this.#deps.wakeBy(this.dueAt);
    return true;
  }

  #finish(message: Buffer | undefined, isGood: boolean, why: GivenUp): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const attempt of this.#attempts) attempt.giveUp(why);
    this.#onOver({ message, isGood, tries: this.#tries });
  }
}
