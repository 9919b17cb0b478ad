/**
 * What the table does not know goes to the upstream servers, and the first good answer comes back.
 *
 * Nothing that costs more than the messages themselves happens for each query: one alarm wakes for all of them, and what
 * servers are thought of is kept with each.
 */
import { randomFillSync, randomInt } from "node:crypto";
import { Alarm } from "../../lifecycle/alarm.ts";
import { Timer } from "../../lifecycle/timer.ts";
import { withOpt, withoutOpt } from "../wire/reply.ts";
import { disguised, matchOf, type OnOutcome, type Outgoing, type Sent } from "./exchange.ts";
import { Forwarding, type Forwarded, type ForwardingDependencies, type Question } from "./forwarding.ts";
import type { ResolverConfig, Upstream } from "./resolv-conf.ts";
import { type Server, Servers } from "./servers.ts";
import type { Exchange } from "./attempt.ts";
import { askOverTcp } from "./tcp-exchange.ts";
import { type Rejection, UdpExchange, type UdpDependencies } from "./udp-exchange.ts";

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

/** Sockets that nobody used for so long are closed, in milliseconds. */
const restMs = 10_000;

/** Connections to upstreams at one time. */
const maxConnections = 128;

/** Forwards; disposing fails what is open. */
export class Forwarder implements Disposable {
  readonly #options: ForwarderOptions;
  readonly #deps: ForwarderDependencies;
  readonly #forwarding: ForwardingDependencies;
  readonly #exchange: UdpDependencies;
  readonly #open = new Set<Forwarding>();
  readonly #alarm = new Alarm((now) => this.#look(now));
  #servers: Servers;
  #isClosed = false;
  #connections = 0;
  #isUsed = false;
  #rest: Timer | undefined;
  readonly #noise = randomFillSync(new Uint32Array(1_024));
  #noiseAt = 0;

  constructor(options: ForwarderOptions, deps: ForwarderDependencies) {
    this.#options = options;
    this.#deps = deps;
    this.#servers = this.#serversOfNow();
    this.#exchange = {
      rejected: deps.rejected,
      random: () => this.#random() / 2 ** 32,
    };
    this.#forwarding = {
      servers: () => this.#servers,
      isParallel: options.isParallel,
      withinMs: options.forwardTimeoutMs,
      ask: (exchange, question, onOutcome) => this.#ask(exchange, question, onOutcome),
      asked: deps.asked,
      wakeBy: (at) => {
        this.#alarm.by(at);
      },
    };
  }

  /** True when this query is one of our own that came back. */
  hasSent(port: number, message: Buffer): boolean {
    return this.#servers.all.some(({ exchange }) => exchange?.hasSent(port, message) === true);
  }

  /** The servers of the moment, without ourselves. */
  get servers(): readonly Upstream[] {
    return this.#servers.all.map(({ upstream }) => upstream);
  }

  /** Never rejects. */
  forward(question: Question): Promise<Forwarded> {
    const adds = this.#servers.options.edns0 && !question.hasEdns;
    const sent = adds ? { ...question, message: withOpt(question.message) } : question;
    return new Promise((resolve) => {
      const now = performance.now();
      const forwarding = new Forwarding(sent, now, this.#forwarding, (forwarded) => {
        this.#open.delete(forwarding);
        const { message } = forwarded;
        resolve(adds && message !== undefined ? { ...forwarded, message: withoutOpt(message) } : forwarded);
      });
      this.#open.add(forwarding);
      forwarding.start(now);
    });
  }

  /** Forget servers that are not there any more, and what was thought of the others. */
  changed(): void {
    if (this.#isClosed) return;
    this.#use(this.#serversOfNow());
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#rest?.cancel();
    this.#alarm[Symbol.dispose]();
    for (const forwarding of [...this.#open]) forwarding.close();
    this.#use(new Servers({ servers: [], options: this.#servers.options }, this.#options.forwardTimeoutMs));
  }

  #serversOfNow(): Servers {
    const { servers, options } = this.#deps.config();
    const others = servers.filter((one) => !this.#deps.isOwn(one));
    return new Servers({ servers: others, options }, this.#options.forwardTimeoutMs);
  }

  #use(servers: Servers): void {
    const gone = servers.succeed(this.#servers);
    this.#servers = servers;
    // What is open at them goes on with the others.
    for (const exchange of gone) exchange[Symbol.dispose]();
  }

  /** Do what is due, and say when the next is. */
  #look(now: number): number {
    let next = Infinity;
    for (const forwarding of this.#open) {
      forwarding.look(now);
      if (!forwarding.isOver) next = Math.min(next, forwarding.dueAt);
    }
    return next;
  }

  #ask({ server, protocol, lateMs }: Exchange, question: Question, onOutcome: OnOutcome): Sent {
    this.#isUsed = true;
    this.#rest ??= new Timer(
      restMs,
      () => {
        this.#lookForRest();
      },
      { isBackground: true },
    );
    if (protocol === "tcp") return this.#askOverTcp(server, question, onOutcome);
    server.exchange ??= new UdpExchange(server.upstream, this.#exchange);
    return server.exchange.ask((id) => this.#disguise(question, id, server.isLowerCasing), lateMs, onOutcome);
  }

  #askOverTcp(server: Server, question: Question, onOutcome: OnOutcome): Sent {
    if (this.#connections >= maxConnections) {
      queueMicrotask(() => {
        onOutcome({ kind: "failed", reason: "too many connections are open" });
      });
      return { giveUp: () => undefined };
    }
    this.#connections += 1;
    const outgoing = this.#disguise(question, randomInt(65_536), false);
    return askOverTcp(server.upstream, outgoing, (outcome) => {
      this.#connections -= 1;
      if (outcome.kind === "answered" && matchOf(outcome.message, outgoing) === "other case")
        server.isLowerCasing = true;
      onOutcome(outcome);
    });
  }

  #lookForRest(): void {
    if (this.#isUsed) {
      this.#isUsed = false;
      this.#rest?.restart();
      return;
    }
    this.#rest = undefined;
    for (const { exchange } of this.#servers.all) exchange?.rest();
  }

  #disguise({ message, questionEnd }: Question, id: number, isLower: boolean): Outgoing {
    return disguised(message, questionEnd, id, isLower ? 0 : this.#random());
  }

  /** 32 bits. Asking the system for so few each time would cost more than the query. */
  #random(): number {
    if (this.#noiseAt === this.#noise.length) {
      randomFillSync(this.#noise);
      this.#noiseAt = 0;
    }
    const bits = this.#noise[this.#noiseAt] ?? 0;
    this.#noiseAt += 1;
    return bits;
  }
}
